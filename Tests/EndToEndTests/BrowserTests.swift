import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The gallery in a real browser")
    struct BrowserTests {
        /// Names that run, or break out of what they stand in, where somebody forgets to escape them.
        private static let hostileNames: [String] = {
            let payloads = [
                "<script>window.hostile=1</script>", "<img src=x onerror=window.hostile=1>",
                "\"><svg onload=window.hostile=1>", "'><iframe srcdoc='<script>parent.hostile=1</script>'>",
                "</span></a><script>window.hostile=1</script>", "\" onmouseover=window.hostile=1 x=\"",
                "{{{title}}}{{>page}}", "javascript:window.hostile=1", "<style>*{display:none}</style>",
                "&lt;script&gt;window.hostile=1&lt;/script&gt;", "\u{202E}<b>\u{0}</b>",
                "]]><script>window.hostile=1</script>",
            ]
            return (0..<200).map { payloads[$0 % payloads.count] + " \($0)" }
        }()

        @Test("is browsed, searched, fed and watched; hostile names do not run, and the console stays empty")
        func gallery() throws {
            try withLibrary { library in
                let key = String(repeating: "k", count: 40)
                try library.useTokenizer()
                try library.addPictures(1...210)
                try library.write(JPEGWriter.picture(7), "data/img/210.jpg")
                for (index, name) in Self.hostileNames.enumerated() {
                    let chat = Int64(index + 10)
                    try library.bot.addChat(id: chat, telegramID: -chat, owner: 1, type: "group")
                    try library.bot.execute("UPDATE chats SET title = ? WHERE id = ?", [name, chat])
                    try library.bot.execute("UPDATE images SET chat_id = ? WHERE id = ?", [chat, Int64(index + 1)])
                }
                #expect(try library.run("generate", "--all-users", "--limit", "205").status == 0)
                let pictures = ProcessInfo.processInfo.environment["SEMBLANCE_SCREENSHOTS"].map { FilePath($0) }
                try library.withServer(with: ["SEMBLANCE_API_KEY": key]) { port in
                    let outcome = try library.startTool([
                        "python3", Fixtures.project.appending("Scripts/browser_test.py").string,
                        "http://127.0.0.1:\(port)", key, library.folder.appending("data/img/3.jpg").string,
                        (pictures ?? library.folder.appending("screenshots")).string,
                    ]).wait(atMost: .seconds(240))
                    #expect(outcome.output == "ok\n", "\(outcome.output)\(outcome.errors)")
                }
                #expect(try library.vectorCount() == 210)
            }
        }
    }
}
