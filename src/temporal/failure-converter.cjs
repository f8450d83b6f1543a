// Puts message and stack of failures into encoded attributes, so that the codec encrypts them too. CommonJS, because
// the SDK loads `failureConverterPath` with require(), in processes that know nothing of TypeScript (vitest's too).
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
