/** Staging labels of the version that readers get, and of the one before. */
export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';
