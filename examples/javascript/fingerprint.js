// Fingerprints and hashes, as proto/mds/v1/fingerprint.md says.

import { createHash } from "node:crypto";

import { Direction, DirectionSchema, ValueType, ValueTypeSchema } from "./gen/mds/v1/dataset_pb.js";

const FACETS = {
  unit: "unit",
  defaultValue: "default_value",
  minimum: "minimum",
  maximum: "maximum",
  warningMinimum: "warning_minimum",
  warningMaximum: "warning_maximum",
  increment: "increment",
  offset: "offset",
  conversionFactor: "conversion_factor",
  warningThreshold: "warning_threshold",
  errorThreshold: "error_threshold",
};

const byCodePoint = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));
const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");
const nameOf = (schema, number) => schema.value[number].localName;

/** What a unit shall use: the dataset of its class, its inputs narrowed by what the server told. */
export function effective(dataset, told) {
  const attributes = dataset.map((own) => {
    const narrower = told.attributes.find(({ name }) => name === own.name);
    const isNarrowed = narrower && own.direction !== Direction.OUTPUT;
    return isNarrowed ? { ...own, ...facetsOf(narrower) } : own;
  });
  return { attributes, drivers: told.drivers, parameters: told.parameters };
}

const facetsOf = (told) =>
  Object.fromEntries(Object.keys(FACETS).flatMap((key) => (told[key] === undefined ? [] : [[key, told[key]]])));

/** JSON without white space, keys sorted by code point. */
export function canonicalText(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  const keys = Object.keys(value).sort(byCodePoint);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(",")}}`;
}

/** Of a dataset: of what a class really has. */
export function datasetHash(attributes) {
  return sha256(canonicalText({ attributes: attributesByName(attributes, { inFull: true }) }));
}

/** Of a configuration, as it was applied. */
export function fingerprint({ attributes, drivers, parameters }) {
  const text = canonicalText({
    attributes: attributesByName(attributes, { inFull: false }),
    drivers: drivers.map(driver),
    parameters,
  });
  return `v1:${sha256(text)}`;
}

/** Of all units of a process, for its heartbeats. */
export function digest(fingerprints) {
  const ids = [...fingerprints.keys()].sort(byCodePoint);
  return sha256(ids.map((id) => `${id}=${fingerprints.get(id)}\n`).join(""));
}

function attributesByName(attributes, { inFull }) {
  return Object.fromEntries(attributes.map((each) => [each.name, attribute(each, inFull)]));
}

function attribute(told, inFull) {
  const found = {};
  if (inFull && told.description) found.description = told.description;
  if (inFull && told.mimeType) found.mime_type = told.mimeType;
  if (told.direction !== Direction.UNSPECIFIED) found.direction = nameOf(DirectionSchema, told.direction);
  if (told.type !== ValueType.UNSPECIFIED) found.type = nameOf(ValueTypeSchema, told.type);
  if (told.shape.length) found.shape = told.shape.join("x");
  if (told.maximumSizeBytes) found.maximum_size_bytes = String(told.maximumSizeBytes);
  for (const [field, key] of Object.entries(FACETS)) {
    if (told[field] !== undefined) found[key] = told[field];
  }
  return found;
}

function driver(told) {
  const found = { name: told.name };
  if (told.version) found.version = told.version;
  if (told.initParameter) found.init_parameter = told.initParameter;
  if (Object.keys(told.properties).length) found.properties = told.properties;
  return found;
}
