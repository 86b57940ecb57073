"""Models as ONNX files: the graph, int8, and the check that a file agrees with its model."""
