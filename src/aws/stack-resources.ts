export interface StackResource {
  /** `AWS::S3::Bucket`. */
  readonly type: string;
  readonly physicalId: string;
}

export function isTable({ type }: Pick<StackResource, 'type'>): boolean {
  return type === 'AWS::DynamoDB::Table' || type === 'AWS::DynamoDB::GlobalTable';
}
