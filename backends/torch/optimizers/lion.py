class Lion(torch.optim.Optimizer):
    """Steps along the sign of an average of gradients (Chen et al. 2023)."""

    def __init__(
        self,
        parameters: Any,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for weight in group["params"]:
                if weight.grad is not None:
                    state = self.state[weight]
                    mean = state.setdefault("mean", torch.zeros_like(weight))
                    sign = (beta1 * mean + (1 - beta1) * weight.grad).sign()
                    mean.mul_(beta2).add_(weight.grad, alpha=1 - beta2)
                    weight.sub_(lr * (sign + group["weight_decay"] * weight))
