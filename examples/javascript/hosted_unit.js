// One control unit of a process: on its way to where people want it to be.

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";

import { effective, fingerprint } from "./fingerprint.js";
import { UnitReportSchema, UnitValuesSchema } from "./gen/mds/v1/registration_pb.js";
import { State, StateSchema } from "./gen/mds/v1/state_pb.js";

const RANK = {
  [State.UNLOADED]: 0,
  [State.LOADED]: 1,
  [State.INITIALIZED]: 2,
  [State.STOPPED]: 3,
  [State.RUNNING]: 3,
};
const UP = { [State.UNLOADED]: "load", [State.LOADED]: "init" };
const DOWN = {
  [State.RUNNING]: "stop",
  [State.STOPPED]: "deinit",
  [State.INITIALIZED]: "deinit",
  [State.LOADED]: "unload",
};
const CYCLE_MS = 1000;

export class HostedUnit {
  state = State.UNLOADED;
  applied = "";
  #device;
  #assignment;
  #configuration;
  #wanted; // the fingerprint of the configuration
  #since = Date.now();
  #message = "";
  #reachedGeneration = 0n;
  #reachedRecoverCount = 0n;
  #leaving = false;
  #work = Promise.resolve();
  #cycle;

  /**
   * @param Device its class: `new Device(id)` with init, start, stop, deinit, cycle and values
   * @param changed is called when there is something to report
   */
  constructor(assignment, Device, changed) {
    this.Device = Device;
    this.changed = changed;
    this.assign(assignment);
  }

  get name() {
    return this.#assignment.controlUnit;
  }

  get id() {
    return this.name.slice("control_units/".length);
  }

  /** People have changed their mind, or say so for the first time. */
  assign(assignment) {
    this.#assignment = assignment;
    if (assignment.configuration) { // what is still right is not sent again
      this.#configuration = effective(this.Device.attributes, assignment.configuration);
      this.#wanted = fingerprint(this.#configuration);
    }
    this.#converge();
  }

  /** Lets go of everything; returns when it has. */
  leave() {
    this.#leaving = true;
    this.#converge();
    return this.#work;
  }

  report(sequence) {
    return create(UnitReportSchema, {
      controlUnit: this.name,
      sequence,
      state: this.state,
      age: durationFromMs(Date.now() - this.#since),
      message: this.#message,
      reachedGeneration: this.#reachedGeneration,
      reachedRecoverCount: this.#reachedRecoverCount,
      fingerprint: this.applied,
      datasetHash: this.state === State.UNLOADED ? "" : this.Device.datasetHash,
    });
  }

  values(sequence) {
    const values = this.#device?.values() ?? [];
    return create(UnitValuesSchema, { controlUnit: this.name, sequence, values });
  }

  #converge() {
    this.#work = this.#work.then(() => this.#walk());
  }

  /** One step after the other until there is nothing to do. */
  async #walk() {
    for (let step = this.#nextStep(); step; step = this.#nextStep()) {
      try {
        this.#arrive(await this.#perform(step));
      } catch (error) {
        clearInterval(this.#cycle);
        this.#arrive(State.RECOVERABLE_ERROR, error.message);
      }
    }
    const { desiredState, generation } = this.#assignment;
    const isThere = this.state === desiredState || desiredState === State.UNSPECIFIED;
    if (isThere && this.#reachedGeneration !== generation) {
      this.#reachedGeneration = generation;
      this.changed();
    }
  }

  #nextStep() {
    const { desiredState, inMaintenance, recoverCount } = this.#assignment;
    if (this.state === State.RECOVERABLE_ERROR) {
      return this.#leaving || recoverCount > this.#reachedRecoverCount ? "recover" : undefined;
    }
    if (this.#leaving) return DOWN[this.state];
    if (inMaintenance || !(desiredState in RANK)) return undefined;
    if (RANK[this.state] >= RANK[State.INITIALIZED] && this.applied !== this.#wanted) {
      return DOWN[this.state]; // a changed configuration is applied by a new init
    }
    if (this.state === desiredState) return undefined;
    if (RANK[this.state] > RANK[desiredState]) return DOWN[this.state];
    if (desiredState === State.STOPPED && RANK[this.state] >= 2) return "stop";
    return UP[this.state] ?? "start";
  }

  async #perform(step) {
    switch (step) {
      case "load":
        this.#device = new this.Device(this.id);
        return State.LOADED;
      case "init":
        await this.#device.init(this.#configuration);
        this.applied = this.#wanted;
        return State.INITIALIZED;
      case "start":
        await this.#device.start();
        this.#cycle = setInterval(() => this.#round(), CYCLE_MS);
        return State.RUNNING;
      case "stop":
        clearInterval(this.#cycle);
        await this.#device.stop();
        return State.STOPPED;
      case "unload":
        this.#device = undefined;
        return State.UNLOADED;
      default: // deinit, recover
        await this.#device.deinit();
        this.applied = "";
        this.#reachedRecoverCount = this.#assignment.recoverCount;
        return State.LOADED;
    }
  }

  #round() {
    try {
      this.#device.cycle();
    } catch (error) {
      clearInterval(this.#cycle);
      this.#arrive(State.RECOVERABLE_ERROR, error.message);
    }
  }

  #arrive(state, message = "") {
    this.state = state;
    this.#message = message;
    this.#since = Date.now();
    console.log(`${this.id} is ${StateSchema.value[state].localName}${message && `: ${message}`}`);
    this.changed();
  }
}
