export const x: string = 'a';
console.log(x);
