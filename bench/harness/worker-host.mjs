/** The other side of worker.mjs: calls the functions of the module named on the command line. */

const functions = import(process.argv[2]);

process.on('message', async ({ name, args }) => {
  try {
    process.send({ value: await (await functions)[name](...args) });
  } catch (error) {
    const { message = String(error), code } = error ?? {};
    process.send({ error: { message, code } });
  }
});
// Once the parent has let go there is nothing left to do.
process.on('disconnect', () => process.exit());
