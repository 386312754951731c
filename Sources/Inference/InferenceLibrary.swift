internal import COnnxRuntime
private import Glibc

/// ONNX Runtime, opened at run time: `stats` and `--help` never pay for it, and its absence is one clear error.
///
/// - Note: `@unchecked Sendable` because every stored pointer is written once here, and ONNX Runtime documents its
///   environment and its function table as safe to use from any thread.
@safe package final class InferenceLibrary: @unchecked Sendable {
    /// The library's own version string.
    package let version: String

    let table: UnsafePointer<OrtTable>
    let environment: OpaquePointer

    /// Opens the first of the named files that is there.
    ///
    /// - Parameter paths: Absolute paths, in the order of preference.
    /// - Throws: `.library`, naming all the paths, where none can be opened or the version is too old.
    package init(paths: [String]) throws(InferenceError) {
        let handle = try unsafe Self.open(paths)
        guard let symbol = unsafe dlsym(handle, "OrtGetApiBase"), let base = unsafe ort_base(symbol) else {
            throw InferenceError(.library, "the library opened as ONNX Runtime is none: it has no OrtGetApiBase")
        }
        version = unsafe String(cString: ort_version(base))
        guard let table = unsafe ort_table(base) else {
            throw InferenceError(
                .library,
                "ONNX Runtime \(version) is too old: its interface version \(SEMBLANCE_ORT_API_VERSION) is needed"
            )
        }
        unsafe self.table = table
        var environment: OpaquePointer?
        let errorsOnly: Int32 = 3
        try unsafe check(ort_create_env(table, errorsOnly, "semblance", &environment), .library, table: table)
        guard let environment = unsafe environment else { throw InferenceError(.library, "no environment was made") }
        unsafe self.environment = environment
        try unsafe check(ort_disable_telemetry(table, environment), .library, table: table)
    }

    deinit { unsafe ort_release_env(table, environment) }

    private static func open(_ paths: [String]) throws(InferenceError) -> UnsafeMutableRawPointer {
        for path in paths where unsafe access(path, R_OK) == 0 {
            if let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) { return unsafe handle }
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "unknown reason"
            throw InferenceError(.library, "ONNX Runtime cannot be opened: \(reason)")
        }
        throw InferenceError(
            .library,
            "ONNX Runtime is not there; looked for \(paths.joined(separator: ", ")). "
                + "Run Scripts/setup, or set SEMBLANCE_ONNXRUNTIME to the path of libonnxruntime.so"
        )
    }
}

/// Turns a status of the engine into an error and releases it; NULL is success.
@unsafe func check(
    _ status: OpaquePointer?,
    _ code: InferenceError.Code,
    table: UnsafePointer<OrtTable>
) throws(InferenceError) {
    guard let status = unsafe status else { return }
    let message = unsafe String(cString: ort_error_message(table, status))
    let number = unsafe ort_error_code(table, status)
    unsafe ort_release_status(table, status)
    throw InferenceError(code, "ONNX Runtime says: \(message) (error \(number))")
}
