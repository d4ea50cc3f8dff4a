"""Layer-wise relevance propagation by Zennit, DeepLIFT by Captum."""

import copy

import torch
from captum.attr import DeepLift
from torch import nn
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import EpsilonAlpha2Beta1, EpsilonGammaBox, EpsilonPlus, LayerMapComposite
from zennit.rules import AlphaBeta, Epsilon, Flat, Gamma, Norm, Pass, WSquare, ZPlus
from zennit.types import Activation, AvgPool, Convolution, Linear

import architectures
import networks
from files import save
from references import References

# The input's range, as far as z-box is concerned: wider than any pixel of the images.
LOW, HIGH = -4.0, 4.0
# A bias has no input that it could be shared with.
WITHOUT_BIAS = {"zero_params": "bias"}
ONE_RULE = {
    "epsilon": Epsilon(),
    "gamma": Gamma(),
    "alpha-beta": AlphaBeta(),
    "z-plus": ZPlus(),
    "w-square": WSquare(**WITHOUT_BIAS),
    "flat": Flat(**WITHOUT_BIAS),
}


class Sum(nn.Module):
    """A residual sum as a module, for a rule to be given to."""

    def forward(self, terms):
        return terms.sum(dim=-1)


def residual_forward(block, x):
    return block.relu(block.sum(torch.stack([block.body(x), block.shortcut(x)], dim=-1)))


def with_sums(network):
    """The same network, whose residual sums share relevance in proportion."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, architectures.ResidualBlock):
            module.sum = Sum()
            module.forward = residual_forward.__get__(module)
    return network


def composites(image):
    low, high = torch.full_like(image, LOW), torch.full_like(image, HIGH)
    canonizers = [SequentialMergeBatchNorm()]
    passing = [(Activation, Pass()), (AvgPool, Norm()), (Sum, Norm())]
    by_name = {
        name: LayerMapComposite([*passing, (Convolution, rule), (Linear, rule)], canonizers=canonizers)
        for name, rule in ONE_RULE.items()
    }
    extra = {"layer_map": [(Sum, Norm())], "canonizers": canonizers}
    by_name["epsilon-plus"] = EpsilonPlus(**extra)
    by_name["epsilon-alpha2-beta1"] = EpsilonAlpha2Beta1(**extra)
    by_name["epsilon-gamma-box"] = EpsilonGammaBox(low=low, high=high, **extra)
    return by_name


def make():
    make_lrp()
    make_deep_lift()


def make_deep_lift():
    references = References("deep_lift", "captum")
    # Not a network with overlapping pools: where two windows have the same largest pixel, Captum keeps the share of one, and
    # its contributions no longer sum to the difference.
    network, images = networks.build("residual_batch_norm")
    torch.manual_seed(7)
    baselines = [("zero", torch.zeros_like(images[:1])), ("given", 0.5 * torch.randn(1, *images.shape[1:]))]
    for name, baseline in baselines:
        for target in (1, 3):
            values = DeepLift(network).attribute(images[:1], baseline, target=target)
            file = "zero" if name == "zero" else save(references.folder / "baseline.npy", baseline[0])
            stem, parameters = f"deep_lift_{name}_{target}", {"baseline": file}
            references.add("residual_batch_norm", target, "deep-lift", values[0].detach(), stem, parameters=parameters)
    references.write()


def make_lrp():
    references = References("propagation", "zennit")
    for name, target in [("plain_convnet", 2), ("residual_batch_norm", 1)]:
        network, images = networks.build(name)
        network, image = with_sums(network), images[:1]
        one_hot = torch.eye(architectures.CLASSES)[[target]]
        for composite, rules in composites(image).items():
            with Gradient(model=network, composite=rules) as attributor:
                _, relevance = attributor(image.clone(), lambda output: output * one_hot)
            # Rules that do not look at the input also send relevance to sums near zero, whose shares are then large: moving
            # the image by a millionth moves these maps by up to 1e-3.
            loose = name == "residual_batch_norm" and composite in ("w-square", "flat")
            references.add(
                name,
                target,
                "lrp",
                relevance[0].detach(),
                parameters={"composite": composite},
                range=[LOW, HIGH],
                tolerance=5e-3 if loose else 1e-4,
            )
    references.write()
