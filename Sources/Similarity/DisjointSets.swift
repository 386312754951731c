/// Things that belong together because each is connected with another.
struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    /// Says that two things belong together.
    mutating func join(_ one: Int, _ other: Int) {
        let (first, second) = (root(of: one), root(of: other))
        parents[max(first, second)] = min(first, second)
    }

    /// The sets of more than one thing, each in ascending order.
    mutating func sets() -> [[Int]] {
        var sets: [Int: [Int]] = [:]
        for thing in parents.indices { sets[root(of: thing), default: []].append(thing) }
        return sets.values.filter { $0.count > 1 }
    }

    /// The least thing of a set.
    mutating func root(of thing: Int) -> Int {
        var thing = thing
        while parents[thing] != thing {
            parents[thing] = parents[parents[thing]]
            thing = parents[thing]
        }
        return thing
    }
}
