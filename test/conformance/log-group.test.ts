import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { moamalat } from '../../src/products/moamalat.ts';
import { describeKind, sampleOf } from '../../testing/index.ts';
import { sharedParts } from './shared-parts.ts';

describeKind(logGroup, { samples: [sampleOf(moamalat, 'create_log_group:backend')], parts: sharedParts });
