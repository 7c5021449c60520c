/** Text of samples.proto, held here so that a bundle needs no file; a test keeps the two equal. */
export const samplesProto = `// One chunk of samples of one stream: what Ohmwatch takes as payload of codec protobuf.
// Its twin in JSON (codec json) has the same fields under the same names.
syntax = "proto3";
package ohmwatch;

enum Format {
  FORMAT_UNSPECIFIED = 0;  // as the settings of the stream say
  s16le = 1;
  s24le = 2;
  f32le = 3;
}

enum Flag {
  FLAG_UNSPECIFIED = 0;
  lead_off = 1;  // an electrode was off: the samples mean nothing
  clipped = 2;   // some samples are at the end of the converter's range
  gap = 3;       // samples were lost before this chunk
}

message SampleChunk {
  string stream = 1;            // name that the sender has for it; the topic decides where it goes
  string session = 2;           // changes when the sender starts anew
  uint64 seq = 3;               // running number in the session
  optional int64 t0_ns = 4;     // time of the first sample, ns since 1970; left out: follows the chunk before
  optional double rate_hz = 5;  // 0.001 … 1000000
  repeated string channels = 6; // names, in the order of the samples, at most 64
  Format format = 7;
  optional double scale = 8;    // physical units in one count; 1 if left out here and in the settings
  string unit = 9;              // of the scaled samples, e.g. mV
  uint32 n = 10;                // time steps: samples of each channel
  repeated Flag flags = 11;
  bytes data = 15;              // n × channels samples, interleaved, little-endian
}
`;
