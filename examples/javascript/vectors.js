// Holds the fingerprints of this client against the vectors beside the protocol.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { fromJson } from "@bufbuild/protobuf";

import { canonicalText, datasetHash, digest, fingerprint } from "./fingerprint.js";
import { ConfigurationSchema } from "./gen/mds/v1/configuration_pb.js";
import { AttributeSchema } from "./gen/mds/v1/dataset_pb.js";

const file = new URL("../../proto/mds/v1/fingerprint_vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));

for (const { name, value, text } of vectors.canonical_texts) {
  assert.equal(canonicalText(value), text, name);
}
for (const { name, attributes, hash } of vectors.datasets) {
  assert.equal(datasetHash(attributes.map((each) => fromJson(AttributeSchema, each))), hash, name);
}
for (const { name, configuration, fingerprint: expected } of vectors.configurations) {
  assert.equal(fingerprint(fromJson(ConfigurationSchema, configuration)), expected, name);
}
for (const { name, fingerprints, digest: expected } of vectors.digests) {
  assert.equal(digest(new Map(Object.entries(fingerprints))), expected, name);
}
console.log("all vectors agree");
