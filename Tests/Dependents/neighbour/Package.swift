// swift-tools-version: 6.0
import PackageDescription

// As other packages name their modules: weichsel/ZIPFoundation has a CZlib.
let package = Package(
    name: "neighbour",
    products: [.library(name: "Neighbour", targets: ["Neighbour"])],
    targets: [
        .target(name: "Neighbour", dependencies: ["CZlib", "COpenSSL"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    ]
)
