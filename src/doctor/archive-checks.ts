import type { Objects } from '../aws/s3.ts';
import type { Cell } from '../contracts/platform.ts';
import { look, ok, type Finding } from './finding.ts';

/** The bucket that final dumps go to, as far as a look shows it: a deletion gets stuck where it cannot be written. */
export async function checkArchive(
  cell: Pick<Cell, 'id' | 'archive'>,
  objects: Pick<Objects, 'listUploads'>,
): Promise<Finding[]> {
  if (!cell.archive) return [];
  const { bucket, prefix = '', retentionDays } = cell.archive;
  const subject = `cell ${cell.id}: archive ${bucket}`;
  return look(subject, async () => {
    await objects.listUploads(bucket, prefix);
    return ok(subject, `answers; final dumps are kept there for ${retentionDays} days`);
  });
}
