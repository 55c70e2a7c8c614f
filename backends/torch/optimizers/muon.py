class Muon(torch.optim.Optimizer):
    """Moves matrices along near-orthogonal matrices, all else as AdamW does.

    PyTorch's own computes in bfloat16. The factor of 0.2 and root: Liu et al. 2025.
    """

    def __init__(
        self,
        parameters: Any,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        nesterov: bool = True,
        iterations: int = 5,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "betas": betas}
        options |= {"nesterov": nesterov, "iterations": iterations, "eps": eps}
        super().__init__(parameters, options)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    rule = self.matrix if weight.ndim == 2 else self.adam
                    move = rule(weight.grad, self.state[weight], group)
                    weight.sub_(group["lr"] * (move + group["weight_decay"] * weight))

    def matrix(self, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """The step of a matrix."""
        mean = state.setdefault("mean", torch.zeros_like(gradient))
        mean.lerp_(gradient, 1 - group["momentum"])
        x = gradient.lerp(mean, group["momentum"]) if group["nesterov"] else mean
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(group["iterations"]):
            square = x @ x.T
            x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
        return 0.2 * max(x.shape) ** 0.5 * (x.T if tall else x)

    def adam(self, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """The step of any other weight."""
        beta1, beta2 = group["betas"]
        mean = state.setdefault("mean", torch.zeros_like(gradient))
        square = state.setdefault("square", torch.zeros_like(gradient))
        step = state["step"] = state.get("step", 0) + 1
        mean.lerp_(gradient, 1 - beta1)
        square.lerp_(gradient.square(), 1 - beta2)
        root = (square / (1 - beta2**step)).sqrt() + group["eps"]
        return mean / (1 - beta1**step) / root
