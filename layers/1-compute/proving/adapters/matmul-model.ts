import protobuf from 'protobufjs'

/** Element types of ONNX tensors, by their numbers in the format's published schema. */
const ELEMENT = { float: 1, uint8: 2, int8: 3, int32: 6 } as const

/**
 * The part of the ONNX format that one matrix product needs, in our own words. Field numbers are the format's; all
 * other fields are optional and left out.
 */
const SCHEMA = `
syntax = "proto3";
message Model { int64 ir_version = 1; Graph graph = 7; repeated OperatorSet opset_import = 8; }
message OperatorSet { string domain = 1; int64 version = 2; }
message Graph {
  repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
  repeated Value input = 11; repeated Value output = 12;
}
message Node { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; }
message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Value { string name = 1; Type type = 2; }
message Type { TensorType tensor_type = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Shape { repeated Dimension dim = 1; }
message Dimension { int64 dim_value = 1; }
`

export type MatmulKind = 'fp32' | 'int8'

/**
 * ONNX model `y = x . w` of square matrices, with `w` as a constant so that the library may pack it once, as it
 * does with the weights of a language model.
 *
 * @param weights Row-major bytes of `w`: 4 per element for `fp32`, 1 (signed) for `int8`.
 */
export function matmulModel(kind: MatmulKind, size: number, weights: Uint8Array): Uint8Array {
  const { input, weight, output, operator } =
    kind === 'fp32'
      ? { input: ELEMENT.float, weight: ELEMENT.float, output: ELEMENT.float, operator: 'MatMul' }
      : { input: ELEMENT.uint8, weight: ELEMENT.int8, output: ELEMENT.int32, operator: 'MatMulInteger' }
  const model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model')
  return model
    .encode({
      ir_version: 8,
      opset_import: [{ domain: '', version: 13 }],
      graph: {
        name: 'probe',
        node: [{ input: ['x', 'w'], output: ['y'], name: 'product', op_type: operator }],
        initializer: [{ dims: [size, size], data_type: weight, name: 'w', raw_data: weights }],
        input: [square('x', input, size)],
        output: [square('y', output, size)],
      },
    })
    .finish()
}

function square(name: string, elementType: number, size: number): object {
  return {
    name,
    type: { tensor_type: { elem_type: elementType, shape: { dim: [{ dim_value: size }, { dim_value: size }] } } },
  }
}
