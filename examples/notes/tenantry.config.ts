import { defineConfig } from 'tenantry';
import { notes } from './product.ts';
import { sqsQueue } from './sqs-queue.ts';

export default defineConfig({ products: [notes], kinds: [sqsQueue] });
