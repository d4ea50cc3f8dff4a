// Starts the worker's program. It takes a while to load, and what the page says before the program listens would be
// lost: so it is kept, and said again.

const early = [];
const keep = (message) => early.push(message.data);

addEventListener("message", keep);
await import("./worker_loader.js");
removeEventListener("message", keep);
for (const data of early) dispatchEvent(new MessageEvent("message", { data }));
