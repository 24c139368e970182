# SPDX-License-Identifier: Apache-2.0
"""Models of the `transformers` package with random weights, for comparisons and timings.

No published weights are needed: every parameter is drawn anew, because a fresh model's zero biases,
constant scales and empty position tables would hide a wrongly mapped tensor.
"""
import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class Model:
    name: str  # the original project's, where the sizes are published
    family: str
    config: dict  # for the family's configuration class
    sizes: tuple = ()  # (height, width) of the quick set
    full_sizes: tuple = ()  # those that take long
    small: bool = False
    published: bool = True  # otherwise the weights file must tell the number of heads

    @property
    def heads(self):
        return self.config["num_attention_heads"]

    @property
    def head_dimension(self):
        return self.config["hidden_size"] // self.heads


def vit(dimension, blocks, heads, **more):
    return {"hidden_size": dimension, "num_hidden_layers": blocks, "num_attention_heads": heads,
            **more}


def dinov2(name, dimension, blocks, heads, registers=False, swiglu=False, side=518, **more):
    config = vit(dimension, blocks, heads, mlp_ratio=4, image_size=side, patch_size=14,
                 layer_norm_eps=1e-6, use_swiglu_ffn=swiglu)
    if registers:
        config["num_register_tokens"] = 4
    return Model(name, "dinov2_registers" if registers else "dinov2", config, **more)


def dinov3(name, dimension, blocks, heads, hidden, gated=False, qkv_bias=True, **more):
    config = vit(dimension, blocks, heads, intermediate_size=hidden, patch_size=16,
                 image_size=224, num_register_tokens=4, layer_norm_eps=1e-5, query_bias=qkv_bias,
                 key_bias=False, value_bias=qkv_bias, use_gated_mlp=gated,
                 hidden_act="silu" if gated else "gelu")
    return Model(name, "dinov3", config, **more)


def sam(name, dimension, blocks, heads, global_blocks, side=1024, channels=256, window=14, **more):
    config = vit(dimension, blocks, heads, image_size=side, patch_size=16, layer_norm_eps=1e-6,
                 output_channels=channels, window_size=window, global_attn_indexes=global_blocks)
    return Model(name, "sam", config, **more)


def plain(name, family, dimension, blocks, heads, side=224, patch=16, **more):
    config = vit(dimension, blocks, heads, intermediate_size=4 * dimension, image_size=side,
                 patch_size=patch, layer_norm_eps=1e-12)
    if family == "mae":
        config["mask_ratio"] = 0.0
    return Model(name, family, config, **more)


# Each with a size off the square; DINOv3 also with one whose last rows and columns are ignored.
dinov2_small = {"sizes": ((70, 70), (56, 84)), "side": 70, "small": True, "published": False}
plain_small = {"sizes": ((80, 80), (64, 96)), "small": True, "published": False}
dinov3_small = {"sizes": ((48, 80), (64, 64), (50, 83)), "small": True, "published": False}

MODELS = [
    dinov2("dinov2_small_mlp", 32, 2, 2, **dinov2_small),
    dinov2("dinov2_small_swiglu", 32, 2, 2, swiglu=True, **dinov2_small),
    dinov2("dinov2_small_registers", 32, 2, 2, registers=True, **dinov2_small),
    # Heads of 64, which a file need not tell, so these also go into .pth files.
    dinov2("dinov2_small_wide", 128, 2, 2, **dinov2_small),
    dinov2("dinov2_small_wide_registers", 128, 2, 2, registers=True, **dinov2_small),
    dinov3("dinov3_small_mlp", 32, 2, 2, 128, **dinov3_small),
    dinov3("dinov3_small_gated", 32, 2, 2, 128, gated=True, **dinov3_small),
    dinov3("dinov3_small_7b", 64, 2, 2, 128, gated=True, qkv_bias=False, **dinov3_small),
    dinov3("dinov3_small_wide", 128, 2, 2, 512, **dinov3_small),
    dinov3("dinov3_small_wide_gated", 128, 2, 2, 256, gated=True, **dinov3_small),
    sam("sam_small", 32, 2, 2, [1], side=80, channels=16, window=3, sizes=((80, 80),), small=True,
        published=False),

    plain("vit_small", "vit", 32, 2, 2, side=80, **plain_small),
    plain("vit_small_wide", "vit", 128, 2, 2, side=80, **plain_small),
    plain("mae_small", "mae", 32, 2, 2, side=80, **plain_small),
    plain("mae_small_wide", "mae", 128, 2, 2, side=80, **plain_small),

    dinov2("dinov2_vits14", 384, 12, 6, full_sizes=((224, 224),)),
    dinov2("dinov2_vitb14", 768, 12, 12, sizes=((518, 518),)),
    dinov2("dinov2_vitb14_reg", 768, 12, 12, registers=True, sizes=((224, 224),)),
    dinov2("dinov2_vitl14", 1024, 24, 16, full_sizes=((518, 518),)),
    dinov2("dinov2_vitg14", 1536, 40, 24, swiglu=True, full_sizes=((224, 224),)),
    dinov3("dinov3_vits16", 384, 12, 6, 1536, full_sizes=((224, 224),)),
    dinov3("dinov3_vits16plus", 384, 12, 6, 1536, gated=True, full_sizes=((224, 224),)),
    dinov3("dinov3_vitb16", 768, 12, 12, 3072, sizes=((224, 224),), full_sizes=((512, 512),)),
    dinov3("dinov3_vitl16", 1024, 24, 16, 4096, full_sizes=((512, 512), (480, 640))),
    dinov3("dinov3_vith16plus", 1280, 32, 20, 5120, gated=True, full_sizes=((224, 224),)),
    dinov3("dinov3_vit7b16_2blocks", 4096, 2, 32, 8192, gated=True, qkv_bias=False,
           full_sizes=((224, 224),), published=False),
    plain("dino_vits16", "vit", 384, 12, 6, sizes=((224, 224), (160, 208))),
    plain("dino_vits8", "vit", 384, 12, 6, patch=8, full_sizes=((224, 224),)),
    plain("dino_vitb16", "vit", 768, 12, 12, full_sizes=((224, 224),)),
    plain("dino_vitb8", "vit", 768, 12, 12, patch=8, full_sizes=((224, 224),)),
    plain("vit_base_patch16_224", "vit", 768, 12, 12, full_sizes=((224, 224),)),
    plain("mae_vit_base_patch16", "mae", 768, 12, 12, sizes=((224, 224),)),
    plain("mae_vit_large_patch16", "mae", 1024, 24, 16, full_sizes=((224, 224),)),
    plain("mae_vit_huge_patch14", "mae", 1280, 32, 16, patch=14, full_sizes=((224, 224),)),
    sam("sam_vit_b", 768, 12, 12, [2, 5, 8, 11], full_sizes=((1024, 1024),)),
    sam("sam_vit_l", 1024, 24, 16, [5, 11, 17, 23], full_sizes=((1024, 1024),)),
    sam("sam_vit_h", 1280, 32, 16, [7, 15, 23, 31], full_sizes=((1024, 1024),)),
]


def model_named(name):
    for model in MODELS:
        if model.name == name:
            return model
    raise SystemExit(f"model '{name}' is unknown; known are "
                     + ", ".join(model.name for model in MODELS))


def classes(model):
    """The family's configuration and model classes."""
    import transformers
    names = {"dinov2": ("Dinov2Config", "Dinov2Model"),
             "dinov2_registers": ("Dinov2WithRegistersConfig", "Dinov2WithRegistersModel"),
             "dinov3": ("DINOv3ViTConfig", "DINOv3ViTModel"),
             "vit": ("ViTConfig", "ViTModel"),
             "mae": ("ViTMAEConfig", "ViTMAEModel"),
             "sam": ("SamVisionConfig", "SamVisionModel")}[model.family]
    return tuple(getattr(transformers, name) for name in names)


def build(model, seed=1):
    """The model in float32 with random parameters: the same seed gives the same ones."""
    config_class, model_class = classes(model)
    with torch.device("meta"):  # the default initialisation would take as long as ours
        more = {"add_pooling_layer": False} if model.family == "vit" else {}
        built = model_class(config_class(**model.config, attn_implementation="eager"), **more)
    built.to_empty(device="cpu")
    if model.family == "dinov3":  # its frequencies are no parameters: nothing would fill them
        built.rope_embeddings = type(built.rope_embeddings)(built.config)
    torch.manual_seed(seed)
    positions = sine_positions(built) if model.family == "mae" else None
    randomize(built, 0.1 if model.small else 0.02)
    if positions is not None:  # they are fixed, and what tells an MAE
        built.embeddings.position_embeddings.data.copy_(positions)
    return built.eval().requires_grad_(False)


def sine_positions(built):
    """MAE's fixed table, as the model itself makes it."""
    embeddings = built.embeddings
    embeddings.patch_embeddings.projection._is_hf_initialized = False
    embeddings.position_embeddings._is_hf_initialized = False
    embeddings.initialize_weights()
    return embeddings.position_embeddings.clone()


def run(model, built, pixels):
    """The model's output for normalised pictures of any size, of every patch in its place."""
    if model.family not in ("vit", "mae"):
        return built(pixels)
    options = {"interpolate_pos_encoding": True}
    if model.family == "mae":  # nothing is masked, and ascending noise shuffles nothing
        patches = (pixels.shape[-2] // built.config.patch_size) * (
            pixels.shape[-1] // built.config.patch_size)
        options["noise"] = torch.arange(patches, dtype=torch.float32).expand(len(pixels), -1)
    return built(pixels, **options)


@torch.no_grad()
def randomize(built, deviation):
    for name, parameter in built.named_parameters():
        if name.endswith("lambda1"):  # LayerScale: every block counts, none drowns the others
            parameter.normal_(0.5, 0.1)
        elif name.endswith("weight") and parameter.dim() == 1:  # norms
            parameter.normal_(1, deviation)
        elif parameter.dim() == 4 and "patch_embed" in name:  # positions and epsilons are to matter
            parameter.normal_(0, 0.1 * deviation)
        else:
            parameter.normal_(0, deviation)


def random_input(model, size, seed=1):
    """Input [B,3,H,W]: two pictures for small models, so that a batch is seen to be one."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2 if model.small else 1, 3, *size, generator=generator)


def first_block(model, built):
    return {"dinov2": lambda: built.encoder.layer[0],
            "dinov2_registers": lambda: built.encoder.layer[0],
            "dinov3": lambda: built.model.layer[0],
            "vit": lambda: built.layers[0],
            "mae": lambda: built.layers[0],
            "sam": lambda: built.vision_encoder.layers[0]}[model.family]()
