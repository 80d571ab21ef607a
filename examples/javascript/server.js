// The servers, and what is theirs to say about a call.

import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** Each replica in turn: any of them is as good as another. */
export class Servers {
  #transports;
  #used = 0;

  /** @param {string} addresses `host:port[,host:port…]`, as in MDS_ADDRESS */
  constructor(addresses = process.env.MDS_ADDRESS || "127.0.0.1:7400") {
    this.#transports = addresses.split(",").map((address) =>
      createGrpcTransport({
        baseUrl: `http://${address.trim()}`,
        interceptors: [says],
        pingIntervalMs: 10_000, // a server whose host has vanished is noticed
      }),
    );
  }

  /** A client of a service, at the server in use. */
  of(service) {
    return createClient(service, this.#transports[this.#used % this.#transports.length]);
  }

  /** The next call goes to another one. */
  leave() {
    this.#used += 1;
  }
}

/** Who calls, and with which program: it ends up in the history. */
function says(next) {
  return (request) => {
    request.header.set("mds-principal", `${userInfo().username}@${hostname()}`);
    request.header.set("mds-client", "javascript-example/1");
    return next(request);
  };
}

/** Why a call was refused: a name of ErrorReason; empty: no server has answered. */
export function reasonOf(error) {
  const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
  return info?.reason ?? "";
}

/** Whether the same call may succeed later, or elsewhere. */
export function isTransient(error) {
  const codes = [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Canceled];
  return codes.includes(ConnectError.from(error).code);
}

/** Calls until it is answered: for reads, and for changes, which their request id makes safe. */
export async function persistently(call, { seconds = 20 } = {}) {
  const end = Date.now() + seconds * 1000;
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || Date.now() > end) throw error;
      const [retry] = ConnectError.from(error).findDetails(RetryInfoSchema);
      await pause(Number(retry?.retryDelay?.seconds ?? 0) * 1000 + jitter(tries));
    }
  }
}

/** A pause with full jitter, in ms: who lost one server together come back spread over time. */
export const jitter = (tries) => Math.random() * Math.min(3000, 100 * 2 ** tries);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes a change safe to repeat. */
export const requestId = () => randomUUID();
