// A host of models on another origin than the page's. It behaves as the Hugging Face hub does for repositories, and badly
// in other ways under the first part of the path.

import { createServer } from "node:http";

/** A file of this many bytes, of which no two stretches are alike. */
export function content(size) {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) * 17 + (index >> 16)) & 255;
  return bytes;
}

/** As the mock worker works it out. */
export function mark(bytes) {
  return bytes.reduce((mark, byte) => (31 * mark + byte) | 0, 7);
}

export const MODEL = content(2_000_000);
const LARGE = content(40_000_000);

/** What the hub's repositories hold, by id and revision. */
const REPOSITORIES = {
  "me/one": { main: { "model.onnx": MODEL, "model.card.json": '{"name": "one"}', "README.md": "#" } },
  "me/several": {
    main: { "onnx/model.onnx": MODEL, "onnx/model_quantized.onnx": content(500_000), "config.json": "{}" },
    "refs/pr/1": { "other.onnx": content(300_000) },
  },
  "me/weights": { main: { "model.safetensors": "" } },
};

/** Starts the host. `held` transfers stop half way until `release` is called. */
export async function startHost() {
  const requests = [];
  const waiting = [];
  let date;
  const host = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(url.pathname);
    requests.push(`${request.method} ${request.url}`);
    const [, kind, ...rest] = path.split("/");
    if (kind !== "closed") response.setHeader("access-control-allow-origin", "*");
    if (path.endsWith(".card.json") && kind === "carded") {
      return response.writeHead(200, { "content-type": "application/json" }).end('{"name": "carded"}');
    }
    if (path.endsWith(".card.json") && ["plain", "held", "unknown", "closed"].includes(kind)) {
      return response.writeHead(404).end("not found");
    }
    const give = (bytes, headers = {}) =>
      response.writeHead(200, { "content-length": bytes.length, "last-modified": date, ...headers }).end(bytes);
    const half = (headers) => {
      response.writeHead(200, headers);
      response.write(MODEL.subarray(0, MODEL.length / 2));
    };
    const finish = () => response.end(MODEL.subarray(MODEL.length / 2));
    switch (kind) {
      case "plain":
      case "carded":
      case "closed":
        return give(MODEL);
      case "large":
        return give(LARGE);
      case "huge":
        return response.writeHead(200, { "content-length": 3_000_000_000 }).write("x");
      case "page":
        return give(Buffer.from("<!doctype html>"), { "content-type": "text/html; charset=utf-8" });
      case "status":
        return response.writeHead(Number(rest[0])).end("no");
      case "held":
        half({ "content-length": MODEL.length });
        return waiting.push(finish);
      case "unknown":
        half({});
        return waiting.push(finish);
      case "broken":
        half({ "content-length": MODEL.length });
        return setTimeout(() => request.socket.destroy(), 300);
      case "api":
        return list(rest, url, response);
      case "cdn":
        return give(REPOSITORIES[`${rest[0]}/${rest[1]}`][decodeURIComponent(rest[2])][rest.slice(3).join("/")]);
      default:
        return resolve(url, response);
    }
  });

  /** `/api/models/OWNER/NAME[/revision/REVISION]` */
  function list([models, owner, name, , ...revision], url, response) {
    const branches = models === "models" ? REPOSITORIES[`${owner}/${name}`] : undefined;
    const files = branches?.[revision.join("/") || "main"];
    // The hub answers so for what does not exist, to those who have not logged in.
    if (!files) return response.writeHead(branches ? 404 : 401).end('{"error": "Invalid username or password."}');
    const blobs = url.searchParams.get("blobs") === "true";
    const siblings = Object.entries(files).map(([rfilename, { length }]) => (blobs ? { rfilename, size: length } : { rfilename }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ id: `${owner}/${name}`, siblings }));
  }

  /** `/OWNER/NAME/resolve/REVISION/PATH`, which leads elsewhere. */
  function resolve(url, response) {
    const [, owner, name, verb, revision, ...path] = url.pathname.split("/");
    const files = REPOSITORIES[`${owner}/${name}`]?.[decodeURIComponent(revision ?? "")];
    if (verb !== "resolve" || !files?.[path.map(decodeURIComponent).join("/")]) {
      return response.writeHead(files ? 404 : 401).end("Entry not found");
    }
    response.writeHead(302, { location: `/cdn/${owner}/${name}/${encodeURIComponent(revision)}/${path.join("/")}` }).end();
  }

  await new Promise((listening) => host.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${host.address().port}`,
    /** Every request so far, as `GET /path`. */
    requests,
    /** Lets held transfers end. */
    release: () => waiting.splice(0).forEach((finish) => finish()),
    /** The files change, and their dates with them. */
    touch: () => (date = "Sat, 03 Oct 2026 10:00:00 GMT"),
    /** As it was at the beginning. */
    reset: () => {
      requests.length = 0;
      waiting.length = 0;
      date = "Fri, 02 Oct 2026 10:00:00 GMT";
    },
    close: () => new Promise((closed) => host.close(closed).closeAllConnections()),
  };
}
