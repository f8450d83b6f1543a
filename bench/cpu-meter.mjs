// Loaded with --import: says at the end how much CPU the process took, all threads.
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write(`cpu-ms ${(user + system) / 1000}\n`);
});
