// A process that hosts control units: it registers, stays in touch, and obeys.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";

import { digest } from "./fingerprint.js";
import { AttachRequestSchema, Registration } from "./gen/mds/v1/registration_pb.js";
import { HostedUnit } from "./hosted_unit.js";
import { isTransient, jitter, pause, persistently, reasonOf } from "./server.js";

const LAST_WORDS_MS = 5000;

export class UnitServer {
  #servers;
  #name;
  #classes;
  #incarnation = randomUUID();
  #units = new Map();
  #session;
  #position;
  #beatMs = 1000;
  #sequence = 0n;
  #reported = 0n; // the highest sequence of a report
  #acknowledged = 0n;
  #up; // what goes to the server on the stream that is open now; undefined: none is
  #isLeaving = false;

  /** @param classes of control units, each with implementation, datasetHash and attributes */
  constructor(servers, name, classes) {
    this.#servers = servers;
    this.#name = name;
    this.#classes = new Map(classes.map((each) => [each.implementation, each]));
  }

  /** Hosts its units until it is told to leave. */
  async run() {
    for (let tries = 0; !this.#isLeaving; tries += 1) {
      try {
        if (!this.#session) await this.#register();
        await this.#attach(() => (tries = 0));
      } catch (error) {
        if (this.#isLeaving) return;
        if (reasonOf(error) === "SESSION_ENDED") this.#session = undefined;
        else if (isTransient(error)) this.#servers.leave();
        else throw error; // ALREADY_RUNNING, UNDECLARED, …: a person has to decide
        console.log(`out of touch: ${error.message}`); // the units go on meanwhile
        await pause(jitter(tries));
      }
    }
  }

  /** Lets go of all units and says good-bye, once their last reports are written for good. */
  async leave() {
    this.#isLeaving = true;
    await Promise.all([...this.#units.values()].map((unit) => unit.leave()));
    const end = Date.now() + LAST_WORDS_MS;
    while (this.#up && this.#acknowledged < this.#reported && Date.now() < end) await pause(20);
    this.#up?.say("goodbye", { message: "stopped" });
    this.#up?.end();
  }

  async #register() {
    const told = await persistently(() => {
      const client = this.#servers.of(Registration);
      return client.register(
        {
          unitServer: this.#name,
          incarnation: this.#incarnation,
          classes: [...this.#classes.values()].map(({ implementation, datasetHash }) => {
            return { implementation, datasetHash };
          }),
          host: hostname(),
          address: "127.0.0.1",
          pid: BigInt(process.pid),
          version: "javascript-example/1",
        },
        { timeoutMs: 5000 },
      );
    });
    this.#session = told.session;
    this.#position = told.position;
    this.#beatMs = durationMs(told.heartbeatPeriod);
    console.log(`registered with ${told.assignments.length} units`);
    this.#assign(told.assignments);
    this.#missing = told.missingDatasets;
  }

  #missing = [];

  /** One stream, from its hello to its end. */
  async #attach(isAnswered) {
    this.#up = new Outgoing();
    this.#up.say("hello", { session: this.#session, position: this.#position });
    this.#publish(this.#missing);
    this.#reportAll();
    this.#beat();
    const beats = setInterval(() => this.#beat(), this.#beatMs);
    try {
      for await (const word of this.#servers.of(Registration).attach(this.#up)) {
        isAnswered();
        this.#take(word);
      }
    } finally {
      clearInterval(beats);
      this.#up = undefined;
    }
  }

  #take(word) {
    this.#position = word.position ?? this.#position;
    if (word.acknowledgedSequence > this.#acknowledged) this.#acknowledged = word.acknowledgedSequence;
    this.#assign(word.assignments);
    for (const name of word.removed) {
      this.#units.get(name)?.leave();
      this.#units.delete(name);
    }
    this.#publish(word.missingDatasets);
    for (const { controlUnit, status } of word.refusals) {
      console.log(`not taken: ${controlUnit} ${status.message}`);
    }
    if (word.reportAll) this.#reportAll();
  }

  #assign(assignments) {
    for (const assignment of assignments) {
      const { controlUnit, formerName, implementation, problem } = assignment;
      const unit = this.#units.get(formerName || controlUnit);
      this.#units.delete(formerName);
      const Device = this.#classes.get(implementation.replace(/^::/, ""));
      if (problem || !Device) {
        console.log(`${controlUnit} is not for this process: ${problem?.message ?? implementation}`);
      } else if (unit) {
        this.#units.set(controlUnit, unit);
        unit.assign(assignment);
      } else {
        const made = new HostedUnit(assignment, Device, () => this.#report([made]));
        this.#units.set(controlUnit, made);
      }
    }
  }

  #publish(hashes) {
    const wanted = [...this.#classes.values()].filter((each) => hashes.includes(each.datasetHash));
    if (!wanted.length) return;
    this.#up?.say("datasets", {
      datasets: wanted.map(({ datasetHash, attributes, implementation }) => {
        return { hash: datasetHash, attributes, implementation };
      }),
    });
  }

  #reportAll() {
    if (this.#units.size) this.#report([...this.#units.values()]);
  }

  /** Tells what units are; what is not told for want of a stream is told on the next one. */
  #report(units) {
    const next = () => (this.#sequence += 1n);
    this.#up?.say("reports", { reports: units.map((unit) => unit.report(next())) });
    this.#reported = this.#sequence;
    const initialised = units.filter((unit) => unit.applied);
    if (!initialised.length) return;
    this.#up?.say("values", { units: initialised.map((unit) => unit.values(next())) });
  }

  #beat() {
    const units = [...this.#units.values()].filter((unit) => unit.applied);
    const fingerprints = new Map(units.map((unit) => [unit.id, unit.applied]));
    this.#up?.say("heartbeat", { digest: digest(fingerprints) });
  }
}

/** Messages on their way up, as the stream takes them. */
class Outgoing {
  #waiting = [];
  #wake = () => {};
  #isOver = false;

  say(kind, value) {
    this.#waiting.push(create(AttachRequestSchema, { word: { case: kind, value } }));
    this.#wake();
  }

  end() {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.#waiting.length) yield this.#waiting.shift();
      if (this.#isOver) return;
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}
