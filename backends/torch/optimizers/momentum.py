class Momentum(torch.optim.Optimizer):
    """Steps delta = a * delta + (1 - a) * lr * gradient, from delta = 0."""

    def __init__(self, parameters: Any, lr: float, momentum: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            lr, a = group["lr"], group["momentum"]
            for parameter in group["params"]:
                if parameter.grad is not None:
                    state = self.state[parameter]
                    delta = state.setdefault("delta", torch.zeros_like(parameter))
                    delta.mul_(a).add_(parameter.grad, alpha=(1 - a) * lr)
                    parameter.sub_(delta)
