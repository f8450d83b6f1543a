export default { products: [undefined] };
