/// The bot's images, page by page in the order of their ids: memory and read transactions stay small however many
/// there are.
struct ImagePages {
    private let main: any MainDatabase
    private let pageSize: Int
    private let chats: [Int64]?
    private var last: Int64

    /// - Parameters:
    ///   - chats: The internal ids of the chats whose images are wanted; `nil` for all.
    ///   - last: The id after which the pages begin.
    init(_ main: any MainDatabase, chats: [Int64]?, after last: Int64 = .min, pageSize: Int = 500) {
        self.last = last
        self.main = main
        self.pageSize = pageSize
        self.chats = chats
    }

    /// The next page; empty at the end.
    mutating func next() throws(CatalogError) -> [ImageRecord] {
        let page = try main.images(inChats: chats, after: last, count: pageSize)
        if let id = page.last?.id { last = id }
        return page
    }

    /// The next page of a damaged database: rows that cannot be read are passed over and counted.
    ///
    /// Where a page of rows fails, they are read one by one; behind a row that fails, the next id is tried, and after a
    /// thousand in a row that fail, ever larger steps.
    mutating func nextReadable(passedOver: inout Int) throws(CatalogError) -> [ImageRecord] {
        var failures = 0
        while true {
            do throws(CatalogError) {
                let page = try main.images(inChats: chats, after: last, count: failures == 0 ? pageSize : 1)
                if let id = page.last?.id { last = id }
                return page
            } catch  where error.code == .corrupt {
                failures += 1
                guard failures > 1 else { continue }
                let step = failures < 1000 ? 1 : Int64(1) << min(Int64(failures - 999), 62)
                let (next, isOver) = max(last, 0).addingReportingOverflow(step)
                guard !isOver else { return [] }
                last = next
                passedOver += 1
            }
        }
    }
}
