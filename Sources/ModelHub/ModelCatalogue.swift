/// The models that are known by name.
package struct CatalogueEntry: Sendable, Equatable {
    /// The model's name, which becomes its folder's.
    package let name: String
    /// Where the hub has it; `nil` for one that the hub does not have.
    package let repository: String?
    package let dimension: Int
    /// What to know before choosing it.
    package let remark: String

    /// All of them, the default first.
    package static let all = [
        CatalogueEntry(
            name: "clip-ViT-B-32",
            repository: "openai/clip-vit-base-patch32",
            dimension: 512,
            remark: "CLIP, pictures and words; the default"
        ),
        CatalogueEntry(
            name: "clip-ViT-B-32-laion2b",
            repository: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
            dimension: 512,
            remark: "CLIP, finds better at the same cost"
        ),
        CatalogueEntry(
            name: "clip-ViT-B-16",
            repository: "openai/clip-vit-base-patch16",
            dimension: 512,
            remark: "CLIP, finer patches, four times the work"
        ),
        CatalogueEntry(
            name: "clip-ViT-L-14",
            repository: "openai/clip-vit-large-patch14",
            dimension: 768,
            remark: "CLIP, the large one, eighteen times the work"
        ),
        CatalogueEntry(
            name: "efficientnet-lite0",
            repository: nil,
            dimension: 1280,
            remark: "small, pictures only; Scripts/setup makes it"
        ),
    ]

    /// The entry of a name.
    package static func named(_ name: String) -> CatalogueEntry? { all.first { $0.name == name } }
}
