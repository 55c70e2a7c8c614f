class LAMB(torch.optim.Optimizer):
    """Adam whose step is as long as the weight, times the rate (You et al. 2020)."""

    def __init__(
        self,
        parameters: Any,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(parameters, options)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                square = state.setdefault("square", torch.zeros_like(weight))
                step = state["step"] = state.get("step", 0) + 1
                mean.mul_(beta1).add_(weight.grad, alpha=1 - beta1)
                square.mul_(beta2).addcmul_(weight.grad, weight.grad, value=1 - beta2)
                root = (square / (1 - beta2**step)).sqrt() + group["eps"]
                move = mean / (1 - beta1**step) / root + group["weight_decay"] * weight
                size, length = weight.norm(), move.norm()
                ratio = torch.where((size > 0) & (length > 0), size / length, 1.0)
                weight.sub_(group["lr"] * ratio * move)
