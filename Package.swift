// swift-tools-version: 6.2
// The targets stand in the order of the flow: file → bytes → pixels → tensor → vector → rows → answer.

import PackageDescription

let package = Package(
    name: "semblance",
    products: [.executable(name: "semblance", targets: ["semblance"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CTurboJPEG", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CSpng", providers: [.apt(["libspng-dev"])]),
        .systemLibrary(name: "CWebP", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CGif", providers: [.apt(["libgif-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibPQ", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COnnxRuntime"),
        .systemLibrary(name: "CResample"),
        .systemLibrary(name: "CDotProduct"),

        .target(name: "Vectors"),
        .target(name: "Digests", dependencies: ["CCrypto"]),
        .target(
            name: "ImageDecoding",
            dependencies: ["CTurboJPEG", "CSpng", "CWebP", "CGif"],
            swiftSettings: [.strictMemorySafety()]
        ),
        .target(name: "Inference", dependencies: ["COnnxRuntime"], swiftSettings: [.strictMemorySafety()]),
        .target(
            name: "EmbeddingModel",
            dependencies: [
                "Vectors", "Digests", "ImageDecoding", "Inference", "CResample",
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "ModelHub",
            dependencies: [
                "Digests", "EmbeddingModel",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(name: "PostgreSQL", dependencies: ["CLibPQ"]),
        .target(
            name: "Catalog",
            dependencies: [
                "Vectors", "Digests", "CSQLite", "PostgreSQL",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "Backfill",
            dependencies: [
                "Vectors", "Digests", "ImageDecoding", "EmbeddingModel", "Catalog",
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(name: "Similarity", dependencies: ["Vectors", "Catalog", "CDotProduct"]),
        .target(
            name: "HTTPServer",
            dependencies: [
                "Vectors", "Digests", "ImageDecoding", "EmbeddingModel", "Catalog", "Similarity",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            resources: [
                .embedInCode("Gallery/Templates/dashboard.mustache"),
                .embedInCode("Gallery/Templates/duplicates.mustache"),
                .embedInCode("Gallery/Templates/icon.svg"),
                .embedInCode("Gallery/Templates/login.mustache"),
                .embedInCode("Gallery/Templates/page.mustache"),
                .embedInCode("Gallery/Templates/picture.mustache"),
                .embedInCode("Gallery/Templates/pictures.mustache"),
                .embedInCode("Gallery/Templates/problem.mustache"),
                .embedInCode("Gallery/Templates/script.js"),
                .embedInCode("Gallery/Templates/style.css"),
                .embedInCode("Gallery/Templates/tiles.mustache"),
            ]
        ),
        .target(
            name: "TelegramBot",
            dependencies: [
                "Vectors", "Digests", "ImageDecoding", "EmbeddingModel", "Catalog", "Similarity",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            resources: [.embedInCode("Texts/en.json"), .embedInCode("Texts/ru.json")]
        ),
        .executableTarget(
            name: "semblance",
            dependencies: [
                "Vectors", "Digests", "ImageDecoding", "Inference", "EmbeddingModel", "ModelHub", "PostgreSQL",
                "Catalog", "Backfill",
                "Similarity", "HTTPServer", "TelegramBot",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CTurboJPEG", "CSQLite", "Vectors", "ImageDecoding", "Inference", "EmbeddingModel", "PostgreSQL",
                "Catalog",
                "Backfill",
                "Similarity", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Benchmarks"
        ),

        .target(
            name: "TestSupport",
            dependencies: [
                "CTurboJPEG", "PostgreSQL",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport",
            exclude: ["cutting_proxy.py", "hub_simulator.py", "media_simulator.py", "telegram_simulator.py"]
        ),
        .testTarget(name: "VectorsTests", dependencies: ["Vectors", "Digests", "TestSupport"]),
        .testTarget(
            name: "ImageDecodingTests",
            dependencies: ["ImageDecoding", "EmbeddingModel", "TestSupport"]
        ),
        .testTarget(
            name: "EmbeddingModelTests",
            dependencies: ["EmbeddingModel", "ImageDecoding", "Inference", "Vectors", "TestSupport"]
        ),
        .testTarget(
            name: "ModelHubTests",
            dependencies: [
                "ModelHub", "EmbeddingModel", "TestSupport", .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PostgreSQLTests", dependencies: ["PostgreSQL", "TestSupport"]),
        .testTarget(
            name: "CatalogTests",
            dependencies: ["Catalog", "PostgreSQL", "Vectors", "Digests", "TestSupport"]
        ),
        .testTarget(name: "BackfillTests", dependencies: ["Backfill", "Catalog", "TestSupport"]),
        .testTarget(
            name: "SimilarityTests",
            dependencies: ["Similarity", "Catalog", "Vectors", "CDotProduct", "TestSupport"]
        ),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Similarity", "PostgreSQL", "Catalog", "Vectors", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: [
                "HTTPServer", "Similarity", "Catalog", "EmbeddingModel", "ImageDecoding", "Vectors", "TestSupport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "TelegramBotTests", dependencies: ["TelegramBot", "TestSupport"]),
        .testTarget(name: "CommandTests", dependencies: ["semblance", "Catalog", "TestSupport"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "semblance", "PostgreSQL", "Digests", "ImageDecoding", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["bot_simulator.py", "hostile_requests.py"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .enableUpcomingFeature("InferIsolatedConformances"),
            .treatAllWarnings(as: .error),
        ]
}
