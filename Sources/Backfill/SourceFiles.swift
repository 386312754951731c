package import Catalog
import Digests
import Glibc
package import SystemPackage

/// The files that the bot's rows name.
///
/// A relative path starts from the bot's root folder. Of an image's paths the first one counts whose file can be opened;
/// nothing but opening it decides that.
package struct SourceFiles: Sendable {
    private let root: FilePath
    private let media: (any MediaSource)?

    /// - Parameter media: Where the files are instead, if they are not on this machine.
    package init(root: FilePath, media: (any MediaSource)? = nil) {
        self.root = root
        self.media = media
    }

    /// Why an image has no readable file.
    package struct Fault: Error {
        let kind: FailureRecord.Class
        let message: String
        var fingerprint: String?
        /// What is wrong where no file can be had now: the run ends by it, and no image is charged with it.
        var cause: (any Error)?
    }

    /// A file's bytes, and what identifies this state of it.
    struct Content {
        let bytes: [UInt8]
        let fingerprint: String
        /// The bytes that the file has in all, as far as is known.
        let fileSize: Int
        /// Whether the file has more bytes than were asked for.
        let isCut: Bool
    }

    /// Whether a file of the image can be had.
    ///
    /// Files of another machine are not asked for: what was not there when it was needed is on record.
    package func isReachable(_ surveyed: Catalog.SurveyedImage) -> Bool {
        media == nil ? canOpen(surveyed.image) : surveyed.failure?.kind != .missing
    }

    /// Whether one of the image's files can be opened.
    package func canOpen(_ image: ImageRecord) -> Bool {
        (try? fingerprint(of: image)) != nil
    }

    /// The state of the image's file, without reading it.
    func fingerprint(of image: ImageRecord) throws(Fault) -> String {
        if let media { return try first(of: image) { path throws(Fault) in try Self.state(of: path, at: media) } }
        let file = try open(image)
        defer { close(file.descriptor) }
        return file.fingerprint
    }

    /// Reads the image's file from one descriptor, whatever happens to its name meanwhile.
    func read(_ image: ImageRecord, limit: Int) throws(Fault) -> Content {
        if let media { return try first(of: image) { path throws(Fault) in try Self.read(path, limit, at: media) } }
        let file = try open(image)
        defer { close(file.descriptor) }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: min(file.size, limit) + 1) { buffer, count in
            while count < buffer.count {
                let got = Glibc.read(file.descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                count += got
            }
        }
        guard failure == 0 else {
            let reason = String(cString: strerror(failure))
            throw Fault(kind: .unreadable, message: "the file cannot be read: \(reason)", fingerprint: file.fingerprint)
        }
        return Content(
            bytes: bytes.count > limit ? Array(bytes.prefix(limit)) : bytes,
            fingerprint: file.fingerprint,
            fileSize: max(file.size, bytes.count),
            isCut: bytes.count > limit
        )
    }

    /// The bytes of the image's file and its state, where the file really lies below the root: what others are shown.
    ///
    /// What was opened is asked for its true place, so that no link, no `..` and no exchange of names leads elsewhere.
    package func contained(_ image: ImageRecord, limit: Int) -> (bytes: [UInt8], state: String)? {
        if media != nil {
            guard let content = try? read(image, limit: limit), !content.isCut else { return nil }
            return (content.bytes, content.fingerprint)
        }
        guard let file = try? open(image) else { return nil }
        let isContained = Self.place(of: file.descriptor).map { $0.starts(with: Self.resolved(root) ?? root) } ?? false
        close(file.descriptor)
        guard isContained, let content = try? read(image, limit: limit), content.fingerprint == file.fingerprint,
            !content.isCut
        else { return nil }
        return (content.bytes, content.fingerprint)
    }

    /// Where an open file lies, without links.
    private static func place(of descriptor: Int32) -> FilePath? {
        resolved(FilePath("/proc/self/fd/\(descriptor)"))
    }

    private static func resolved(_ path: FilePath) -> FilePath? {
        guard let real = path.withPlatformString({ realpath($0, nil) }) else { return nil }
        defer { free(real) }
        return FilePath(platformString: real)
    }

    private struct OpenFile {
        let descriptor: Int32
        let size: Int
        let fingerprint: String
    }

    private func open(_ image: ImageRecord) throws(Fault) -> OpenFile {
        try first(of: image) { path throws(Fault) in try open(path) }
    }

    /// What the first of an image's paths gives that is there.
    private func first<Value>(
        of image: ImageRecord,
        _ open: (FilePath) throws(Fault) -> Value
    ) throws(Fault) -> Value {
        var fault = Fault(kind: .missing, message: image.paths.isEmpty ? "the row names no file" : "no file is there")
        for path in image.paths {
            do throws(Fault) {
                return try open(path)
            } catch  where error.kind == .missing {
                if media != nil, fault.kind == .missing { fault = error }
            } catch {
                fault = error
            }
        }
        throw fault
    }

    /// Opens a regular file without waiting on anything that only looks like one.
    private func open(_ path: FilePath) throws(Fault) -> OpenFile {
        let descriptor = root.pushing(path).withPlatformString { Glibc.open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let isAbsent = [ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP].contains(errno)
            let reason = String(cString: strerror(errno))
            throw Fault(kind: isAbsent ? .missing : .unreadable, message: "the file cannot be opened: \(reason)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Fault(kind: .unreadable, message: "what is there is not a regular file")
        }
        let changed = status.st_mtim
        let state = "\(status.st_size) \(changed.tv_sec).\(changed.tv_nsec) \(status.st_ino)"
        return OpenFile(descriptor: descriptor, size: Int(status.st_size), fingerprint: "\(path) \(state)")
    }
}
