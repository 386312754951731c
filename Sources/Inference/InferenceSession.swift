internal import COnnxRuntime

/// A model loaded for inference: one float32 input and one float32 output, first dimension the batch.
///
/// The corresponding C type is `OrtSession`.
///
/// - Note: `@unchecked Sendable` because ONNX Runtime documents `Run` as safe to call from several threads at once, and
///   nothing else changes after the session is made.
@safe package final class InferenceSession: @unchecked Sendable {
    private let library: InferenceLibrary
    private let session: OpaquePointer
    private let memory: OpaquePointer
    /// Keeps the memory of the weights alive.
    private let weights: AnyObject
    /// The values that lend the weights' memory to the session.
    private let borrowed: [OpaquePointer]

    /// Loads an ONNX graph whose initialisers are external.
    ///
    /// - Parameters:
    ///   - graph: The bytes of the ONNX model.
    ///   - tensors: The graph's initialisers; their memory is used in place, not copied.
    ///   - owner: What keeps that memory where it is.
    ///   - threads: How many threads one run may use.
    package init(
        library: InferenceLibrary,
        graph: [UInt8],
        tensors: [ExternalTensor],
        owner: AnyObject,
        threads: Int
    ) throws(InferenceError) {
        let table = unsafe library.table
        var memory: OpaquePointer?
        try unsafe check(ort_create_memory_info(table, &memory), .model, table: table)
        guard let memory = unsafe memory else { throw InferenceError(.model, "no memory description was made") }
        var options: OpaquePointer?
        try unsafe check(ort_create_options(table, &options), .model, table: table)
        guard let options = unsafe options else { throw InferenceError(.model, "no session options were made") }
        defer { unsafe ort_release_options(table, options) }
        let everyOptimisation: Int32 = 99
        try unsafe check(ort_set_optimization(table, options, everyOptimisation), .model, table: table)
        try unsafe check(ort_set_threads(table, options, Int32(threads)), .model, table: table)
        try unsafe check(ort_add_config(table, options, "session.intra_op.allow_spinning", "0"), .model, table: table)
        let borrowed = try unsafe Self.lend(tensors, options: options, memory: memory, table: table)
        var session: OpaquePointer?
        try unsafe check(
            ort_create_session(table, library.environment, graph, graph.count, options, &session),
            .model,
            table: table
        )
        guard let session = unsafe session else { throw InferenceError(.model, "no session was made") }
        self.library = library
        unsafe self.session = session
        unsafe self.memory = memory
        weights = owner
        unsafe self.borrowed = borrowed
    }

    deinit {
        unsafe ort_release_session(library.table, session)
        for index in unsafe borrowed.indices { unsafe ort_release_value(library.table, borrowed[index]) }
        unsafe ort_release_memory_info(library.table, memory)
    }

    /// Wraps each weight in a value that borrows its memory, for the C function `AddExternalInitializers`.
    private static func lend(
        _ tensors: [ExternalTensor],
        options: OpaquePointer,
        memory: OpaquePointer,
        table: UnsafePointer<OrtTable>
    ) throws(InferenceError) -> [OpaquePointer] {
        var values: [OpaquePointer?] = unsafe []
        for tensor in tensors {
            var value: OpaquePointer?
            let shape = tensor.shape.map(Int64.init)
            let data = unsafe UnsafeMutableRawPointer(mutating: tensor.bytes.baseAddress)
            guard let data = unsafe data else { throw InferenceError(.model, "a weight has no bytes") }
            try unsafe check(
                ort_create_tensor(
                    table,
                    memory,
                    data,
                    tensor.bytes.count,
                    shape,
                    shape.count,
                    tensor.elementType.rawValue,
                    &value
                ),
                .model,
                table: table
            )
            unsafe values.append(value)
        }
        let names = tensors.map(\.name.utf8CString)
        let status = unsafe withPointers(to: names) { pointers in
            unsafe ort_add_external_initializers(table, options, pointers, values, values.count)
        }
        try unsafe check(status, .model, table: table)
        return unsafe values.compactMap { unsafe $0 }
    }

    /// Runs the model on a batch.
    ///
    /// - Parameters:
    ///   - input: Row-major numbers of the given shape; read in place.
    ///   - shape: The batch first.
    ///   - body: Gets the output, whose memory lasts for the call only.
    package func run<Result>(
        _ input: [Float],
        shape: [Int],
        inputName: String,
        outputName: String,
        _ body: (UnsafeBufferPointer<Float>) -> Result
    ) throws(InferenceError) -> Result {
        precondition(input.count == shape.reduce(1, *))
        let table = unsafe library.table
        var output: OpaquePointer?
        let status = unsafe input.withUnsafeBytes { bytes in
            unsafe run(bytes, shape: shape.map(Int64.init), names: (inputName, outputName), output: &output)
        }
        try unsafe check(status, .run, table: table)
        guard let output = unsafe output else { throw InferenceError(.run, "the model gave no output") }
        defer { unsafe ort_release_value(table, output) }
        var data: UnsafeMutableRawPointer?
        try unsafe check(ort_tensor_data(table, output, &data), .run, table: table)
        let count = try unsafe elementCount(of: output)
        guard let data = unsafe data else { throw InferenceError(.run, "the model's output has no data") }
        return unsafe body(UnsafeBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: count))
    }

    @unsafe private func run(
        _ bytes: UnsafeRawBufferPointer,
        shape: [Int64],
        names: (input: String, output: String),
        output: inout OpaquePointer?
    ) -> OpaquePointer? {
        var input: OpaquePointer?
        guard let base = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return nil }
        let float32 = ElementType.float32.rawValue
        if let failure = unsafe ort_create_tensor(
            library.table,
            memory,
            base,
            bytes.count,
            shape,
            shape.count,
            float32,
            &input
        ) {
            return unsafe failure
        }
        guard let input = unsafe input else { return nil }
        defer { unsafe ort_release_value(library.table, input) }
        return unsafe ort_run(library.table, session, names.input, input, names.output, &output)
    }

    private func elementCount(of value: OpaquePointer) throws(InferenceError) -> Int {
        let table = unsafe library.table
        var info: OpaquePointer?
        try unsafe check(ort_tensor_info(table, value, &info), .run, table: table)
        guard let info = unsafe info else { throw InferenceError(.run, "the model's output has no shape") }
        defer { unsafe ort_release_tensor_info(table, info) }
        var count = 0
        try unsafe check(ort_element_count(table, info, &count), .run, table: table)
        return count
    }
}

/// Pointers to the first characters of C strings, for the length of a call.
@unsafe private func withPointers<Result>(
    to strings: [ContiguousArray<CChar>],
    _ body: ([UnsafePointer<CChar>?]) -> Result
) -> Result {
    let copies = unsafe strings.map { string in
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count)
        for index in string.indices { unsafe copy[index] = string[index] }
        return unsafe copy
    }
    defer { for index in unsafe copies.indices { unsafe copies[index].deallocate() } }
    return unsafe body(copies.map { unsafe UnsafePointer($0) })
}
