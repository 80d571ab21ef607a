// The thermometer of the tutorial in JavaScript: the same unit server, the same declarations.
//
//   mds import facility examples/laboratory.yaml
//   node thermometer.js

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";

import { datasetHash } from "./fingerprint.js";
import { AttributeSchema, Direction, ValueType } from "./gen/mds/v1/dataset_pb.js";
import { Servers } from "./server.js";
import { UnitServer } from "./unit_server.js";

class Thermometer {
  static implementation = "Thermometer";
  static attributes = [
    { name: "is_heating", direction: Direction.OUTPUT, type: ValueType.BOOL, defaultValue: "false" },
    {
      name: "target",
      direction: Direction.INPUT,
      type: ValueType.DOUBLE,
      unit: "degC",
      defaultValue: "25.0",
      maximum: "80.0",
    },
    {
      name: "temperature",
      description: "What the sensor says.",
      direction: Direction.OUTPUT,
      type: ValueType.DOUBLE,
      unit: "degC",
    },
  ].map((each) => create(AttributeSchema, each));
  static datasetHash = datasetHash(Thermometer.attributes);

  constructor(id) {
    this.id = id;
  }

  init(configuration) {
    const target = configuration.attributes.find(({ name }) => name === "target");
    this.target = target.defaultValue; // the text that people gave; a number only to count with
    this.setAt = Date.now();
    this.temperature = 20; // here a real unit opens its hardware
  }

  start() {
    this.isHeating = false;
  }

  cycle() {
    this.isHeating = this.temperature < Number(this.target);
    this.temperature += (this.isHeating ? 0.5 : -0.2) + (Math.random() - 0.5) / 10;
    if (this.temperature > 90) throw new Error("the heater does not turn off.");
  }

  stop() {
    this.isHeating = false;
  }

  deinit() {}

  /** What its inputs are set to. */
  values() {
    const age = durationFromMs(Date.now() - this.setAt);
    return [{ attribute: "target", type: ValueType.DOUBLE, value: this.target, age }];
  }
}

const server = new UnitServer(new Servers(), "unit_servers/LAB_0", [Thermometer]);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.leave());
await server.run();
process.exit(0); // connections that are kept open would hold it
