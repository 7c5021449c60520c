import { createHash } from "node:crypto";
import type { Component } from "./licences.ts";

/** What a bill of materials is about. */
export interface SbomSubject {
  /** The binary's file name. */
  readonly file: string;
  readonly version: string;
  readonly sha256: string;
  /** Seconds since 1970. */
  readonly epochSeconds: number;
  readonly components: readonly Component[];
}

/** The bill of materials of a binary: CycloneDX 1.5, as JSON. The same binary gives the same bytes. */
export const sbom = ({ file, version, sha256, epochSeconds, components }: SbomSubject): string => {
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(`${file} ${sha256}`)}`,
    version: 1,
    metadata: {
      timestamp: new Date(epochSeconds * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": "ohmwatch",
        name: file,
        version,
        hashes: [{ alg: "SHA-256", content: sha256 }],
        licenses: [{ license: { id: "MIT" } }],
      },
    },
    components: components.map(({ name, version, licence, purl }) => ({
      type: name === "node" ? "platform" : "library",
      "bom-ref": purl,
      name,
      version,
      licenses: [/[ (]/.test(licence) ? { expression: licence } : { license: { id: licence } }],
      purl,
    })),
    dependencies: [{ ref: "ohmwatch", dependsOn: components.map(({ purl }) => purl) }],
  };
  return `${JSON.stringify(document, null, 1)}\n`;
};

/** A UUID of version 5's form from a text [RFC 9562, 5.8: version 8, of our own making]. */
const uuidOf = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
