/// A CLIP model's `config.json`; what an older file leaves out has the value of the original ViT-B/32.
struct CLIPConfiguration: Decodable {
    let projection_dim: Int
    let vision_config: Vision
    let text_config: Text

    /// The vision tower.
    struct Vision: Decodable {
        let layers: Layers
        let image_size: Int
        let patch_size: Int

        /// Patches along one side.
        var patches: Int { image_size / patch_size }
    }

    /// The text tower.
    struct Text: Decodable {
        let layers: Layers
        let vocab_size: Int
        let max_position_embeddings: Int
    }

    /// The transformer layers of a tower.
    struct Layers {
        let hidden_size: Int
        let intermediate_size: Int
        let num_hidden_layers: Int
        let num_attention_heads: Int
        let layer_norm_eps: Float
        let hidden_act: Activation
    }

    /// The function between an MLP's two layers.
    enum Activation: String, Decodable {
        /// x · sigmoid(1.702 x), as OpenAI's models use it.
        case quickGELU = "quick_gelu"
        /// x · Φ(x), as LAION's models use it.
        case gelu
    }

    private enum CodingKeys: CodingKey {
        case projection_dim, vision_config, text_config
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        projection_dim = try values.decodeIfPresent(Int.self, forKey: .projection_dim) ?? 512
        vision_config = try values.decode(Vision.self, forKey: .vision_config)
        text_config = try values.decode(Text.self, forKey: .text_config)
        guard 1...65_536 ~= projection_dim else { throw Self.impossible(values.codingPath) }
    }

    private static func impossible(_ path: [any CodingKey]) -> DecodingError {
        DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: "impossible sizes"))
    }
}

extension CLIPConfiguration.Layers {
    private enum CodingKeys: CodingKey {
        case hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, layer_norm_eps, hidden_act
    }

    /// Reads what is there; the other sizes are those of the given width, four times it, and so many heads.
    init(from decoder: any Decoder, width: Int, heads: Int) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        hidden_size = try values.decodeIfPresent(Int.self, forKey: .hidden_size) ?? width
        intermediate_size = try values.decodeIfPresent(Int.self, forKey: .intermediate_size) ?? width * 4
        num_hidden_layers = try values.decodeIfPresent(Int.self, forKey: .num_hidden_layers) ?? 12
        num_attention_heads = try values.decodeIfPresent(Int.self, forKey: .num_attention_heads) ?? heads
        layer_norm_eps = try values.decodeIfPresent(Float.self, forKey: .layer_norm_eps) ?? 1e-5
        hidden_act = try values.decodeIfPresent(CLIPConfiguration.Activation.self, forKey: .hidden_act) ?? .quickGELU
        let sizes = [hidden_size, intermediate_size, num_attention_heads]
        guard sizes.allSatisfy({ 1...65_536 ~= $0 }), 1...200 ~= num_hidden_layers,
            hidden_size % num_attention_heads == 0
        else { throw CLIPConfiguration.impossible(values.codingPath) }
    }
}

extension CLIPConfiguration.Vision {
    private enum CodingKeys: CodingKey {
        case image_size, patch_size
    }

    init(from decoder: any Decoder) throws {
        layers = try CLIPConfiguration.Layers(from: decoder, width: 768, heads: 12)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        image_size = try values.decodeIfPresent(Int.self, forKey: .image_size) ?? 224
        patch_size = try values.decodeIfPresent(Int.self, forKey: .patch_size) ?? 32
        guard 1...2048 ~= image_size, 1...image_size ~= patch_size, image_size % patch_size == 0 else {
            throw CLIPConfiguration.impossible(values.codingPath)
        }
    }
}

extension CLIPConfiguration.Text {
    private enum CodingKeys: CodingKey {
        case vocab_size, max_position_embeddings
    }

    init(from decoder: any Decoder) throws {
        layers = try CLIPConfiguration.Layers(from: decoder, width: 512, heads: 8)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        vocab_size = try values.decodeIfPresent(Int.self, forKey: .vocab_size) ?? 49_408
        max_position_embeddings = try values.decodeIfPresent(Int.self, forKey: .max_position_embeddings) ?? 77
        guard 1...1_000_000 ~= vocab_size, 1...4096 ~= max_position_embeddings else {
            throw CLIPConfiguration.impossible(values.codingPath)
        }
    }
}
