/** Text of sparkplug-b.proto, held here so that a bundle needs no file; a test keeps the two equal. */
export const sparkplugProto = `// The payload of Sparkplug B 3.0, as far as Ohmwatch reads and writes it. Field numbers: Eclipse Sparkplug 3.0.0, 6.4.
// Data sets, templates and metadata are carried as bytes: they are skipped, not lost.
syntax = "proto2";
package sparkplug;

message Payload {
  optional uint64 timestamp = 1; // ms since 1970, UTC
  repeated Metric metrics = 2;
  optional uint64 seq = 3; // 0 … 255
  optional string uuid = 4;
  optional bytes body = 5;
}

message Metric {
  optional string name = 1;
  optional uint64 alias = 2;
  optional uint64 timestamp = 3; // ms since 1970, UTC
  optional uint32 datatype = 4;
  optional bool is_historical = 5;
  optional bool is_transient = 6;
  optional bool is_null = 7;
  optional bytes metadata = 8;
  optional PropertySet properties = 9;
  oneof value {
    uint32 int_value = 10;
    uint64 long_value = 11;
    float float_value = 12;
    double double_value = 13;
    bool boolean_value = 14;
    string string_value = 15;
    bytes bytes_value = 16; // also arrays, packed little-endian
    bytes dataset_value = 17;
    bytes template_value = 18;
  }
}

message PropertySet {
  repeated string keys = 1;
  repeated PropertyValue values = 2;
}

message PropertyValue {
  optional uint32 type = 1;
  optional bool is_null = 2;
  oneof value {
    uint32 int_value = 3;
    uint64 long_value = 4;
    float float_value = 5;
    double double_value = 6;
    bool boolean_value = 7;
    string string_value = 8;
    bytes propertyset_value = 9;
    bytes propertysets_value = 10;
  }
}
`;
