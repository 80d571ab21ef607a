// What an integrator does: lists, edits with the etag that was read, and watches what comes of it.
//
//   node session.js [control_units/LAB/OVEN/TEMPERATURE] [35]

import { Code, ConnectError } from "@connectrpc/connect";

import { ControlUnits } from "./gen/mds/v1/control_unit_pb.js";
import { ConflictSchema } from "./gen/mds/v1/difference_pb.js";
import { Kind } from "./gen/mds/v1/kind_pb.js";
import { State, StateSchema } from "./gen/mds/v1/state_pb.js";
import { Watch } from "./gen/mds/v1/watch_pb.js";
import { isTransient, persistently, reasonOf, requestId, Servers } from "./server.js";

const [name = "control_units/LAB/OVEN/TEMPERATURE", target = "35"] = process.argv.slice(2);
const servers = new Servers();
const units = () => servers.of(ControlUnits);

/** All control units, page after page, all as of the first page's position. */
async function* all(request = {}) {
  let pageToken = "";
  do {
    const page = await persistently(() => units().listControlUnits({ ...request, pageToken }));
    for (const unit of page.controlUnits) yield { unit, position: page.position };
    pageToken = page.nextPageToken;
  } while (pageToken);
}

/** What happens after a position, in order, each once: goes on at another server when one ends. */
async function* changes(wanted, position) {
  for (;;) {
    try {
      for await (const word of servers.of(Watch).watch({ ...wanted, position })) {
        yield* word.events;
        position = word.position ?? position;
      }
    } catch (error) {
      if (!isTransient(error)) throw error; // HISTORY_TRIMMED: list again
      servers.leave();
    }
  }
}

/** Sets what the target is at the start, provided that nobody has changed the unit since. */
function setTarget(unit) {
  const overrides = unit.overrides.filter(({ attribute }) => attribute !== "target");
  return units().updateControlUnit({
    controlUnit: { name, etag: unit.etag, overrides: [...overrides, { attribute: "target", defaultValue: target }] },
    updateMask: { paths: ["overrides"] },
    requestId: requestId(),
    reason: "the JavaScript example",
  });
}

let position;
for await (const listed of all({ pageSize: 1, idPrefix: "LAB/" })) {
  console.log(`${listed.unit.name} of ${listed.unit.unitServer}`);
  ({ position } = listed);
}

const before = await units().getControlUnit({ name });
const after = await setTarget(before);
console.log(`generation ${after.generation} has the target ${target}`);
try {
  await setTarget(before);
} catch (error) {
  if (reasonOf(error) !== "ETAG_MISMATCH") throw error;
  const [conflict] = ConnectError.from(error).findDetails(ConflictSchema);
  console.log(`an etag that is no longer right is refused: ${Code[error.code]}, ${conflict.author} was faster`);
}

const wanted = { kinds: [Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS], idPrefix: "LAB/" };
for await (const { name: changed, resource } of changes(wanted, position)) {
  if (resource.case === "controlUnit") console.log(`${changed} is generation ${resource.value.generation}`);
  if (resource.case !== "controlUnitStatus" || resource.value.controlUnit !== name) continue;
  const { state, reachedGeneration } = resource.value;
  console.log(`${changed} is ${StateSchema.value[state].localName}, at generation ${reachedGeneration}`);
  if (state === State.RUNNING && reachedGeneration >= after.generation) break;
}
process.exit(0); // connections that are kept open would hold it
