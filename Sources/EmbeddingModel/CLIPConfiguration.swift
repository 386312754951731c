/// A CLIP model's `config.json`; what an older file leaves out has the value of the original ViT-B/32.
struct CLIPConfiguration: Decodable {
    let projection_dim: Int
    let vision_config: Vision

    /// The vision tower.
    struct Vision: Decodable {
        let hidden_size: Int
        let intermediate_size: Int
        let num_hidden_layers: Int
        let num_attention_heads: Int
        let image_size: Int
        let patch_size: Int
        let layer_norm_eps: Float
        let hidden_act: Activation

        /// Patches along one side.
        var patches: Int { image_size / patch_size }
    }

    /// The function between an MLP's two layers.
    enum Activation: String, Decodable {
        /// x · sigmoid(1.702 x), as OpenAI's models use it.
        case quickGELU = "quick_gelu"
        /// x · Φ(x), as LAION's models use it.
        case gelu
    }

    private enum CodingKeys: CodingKey {
        case projection_dim, vision_config
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        projection_dim = try values.decodeIfPresent(Int.self, forKey: .projection_dim) ?? 512
        vision_config = try values.decode(Vision.self, forKey: .vision_config)
        let vision = vision_config
        let sizes = [
            projection_dim, vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers,
            vision.num_attention_heads, vision.image_size, vision.patch_size,
        ]
        guard sizes.allSatisfy({ 1...65_536 ~= $0 }), vision.hidden_size % vision.num_attention_heads == 0,
            vision.image_size % vision.patch_size == 0, vision.image_size <= 2048, vision.num_hidden_layers <= 200
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: values.codingPath, debugDescription: "impossible sizes")
            )
        }
    }
}

extension CLIPConfiguration.Vision {
    private enum CodingKeys: CodingKey {
        case hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, image_size, patch_size
        case layer_norm_eps, hidden_act
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys, else fallback: Int) throws -> Int {
            try values.decodeIfPresent(Int.self, forKey: key) ?? fallback
        }
        hidden_size = try number(.hidden_size, else: 768)
        intermediate_size = try number(.intermediate_size, else: 3072)
        num_hidden_layers = try number(.num_hidden_layers, else: 12)
        num_attention_heads = try number(.num_attention_heads, else: 12)
        image_size = try number(.image_size, else: 224)
        patch_size = try number(.patch_size, else: 32)
        layer_norm_eps = try values.decodeIfPresent(Float.self, forKey: .layer_norm_eps) ?? 1e-5
        hidden_act = try values.decodeIfPresent(CLIPConfiguration.Activation.self, forKey: .hidden_act) ?? .quickGELU
    }
}
