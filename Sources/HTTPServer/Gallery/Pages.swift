import HTTPTypes
import Hummingbird
import Mustache

/// The gallery's pages, made of templates that are part of the program.
///
/// Mustache escapes every value; no template has a triple brace, which would not.
struct Pages: Sendable {
    /// A page's template.
    enum Name: String, CaseIterable {
        case pictures, picture, duplicates, dashboard, login, problem
    }

    private let library: MustacheLibrary

    init() throws {
        var templates: [String: MustacheTemplate] = [:]
        for (name, bytes) in [
            ("page", PackageResources.page_mustache), ("tiles", PackageResources.tiles_mustache),
            ("pictures", PackageResources.pictures_mustache), ("picture", PackageResources.picture_mustache),
            ("duplicates", PackageResources.duplicates_mustache), ("dashboard", PackageResources.dashboard_mustache),
            ("login", PackageResources.login_mustache), ("problem", PackageResources.problem_mustache),
        ] {
            templates[name] = try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self))
        }
        library = MustacheLibrary(templates: templates)
    }

    /// A page as an answer.
    func response(_ name: Name, _ values: [String: Any], status: HTTPResponse.Status = .ok) -> Response {
        Self.file(library.render(values, withTemplate: name.rawValue) ?? "", type: "text/html; charset=utf-8", status)
    }

    /// The style sheet.
    static var style: Response { file(String(decoding: PackageResources.style_css, as: UTF8.self), type: "text/css") }
    /// The one script.
    static var script: Response {
        file(String(decoding: PackageResources.script_js, as: UTF8.self), type: "text/javascript")
    }

    /// The icon.
    static var icon: Response {
        file(String(decoding: PackageResources.icon_svg, as: UTF8.self), type: "image/svg+xml")
    }

    private static func file(_ text: String, type: String, _ status: HTTPResponse.Status = .ok) -> Response {
        var response = Response(status: status, body: .init(byteBuffer: ByteBuffer(string: text)))
        response.headers[.contentType] = type
        return response
    }

    /// Sends the reader elsewhere, with a GET.
    static func redirect(to path: String, cookie: String? = nil) -> Response {
        var response = Response(status: .seeOther)
        response.headers[.location] = path
        response.headers[.setCookie] = cookie
        return response
    }
}
