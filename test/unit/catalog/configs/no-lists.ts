export default { products: 'moamalat' };
