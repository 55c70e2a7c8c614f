class Adafactor(torch.optim.Optimizer):
    """Remembers row and column means of a matrix of squares (Shazeer and Stern 2018).

    PyTorch's own also factors convolutions, along axes that depend on their layout.
    """

    def __init__(
        self,
        parameters: Any,
        lr: float,
        eps: float = 1e-3,
        clip: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        options = {"lr": lr, "eps": eps, "clip": clip, "weight_decay": weight_decay}
        super().__init__(parameters, options)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            lr, clip = group["lr"], group["clip"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                step = state["step"] = state.get("step", 0) + 1
                square = self.mean_square(weight.grad.square() + 1e-30, state, step**-0.8)
                size = weight.square().mean().sqrt().clamp(min=group["eps"])
                move = weight.grad * square.rsqrt()
                excess = (move.square().mean().sqrt() / clip).clamp(min=1.0)
                weight.mul_(1 - lr * group["weight_decay"])
                weight.sub_(size * min(lr, step**-0.5) / excess * move)

    def mean_square(self, square: Tensor, state: dict[str, Any], share: float) -> Tensor:
        """The running mean of the squares."""
        parts = {"square": square}
        if square.ndim == 2:
            parts = {"rows": square.mean(1, True), "columns": square.mean(0, True)}
        for name, part in parts.items():
            state.setdefault(name, torch.zeros_like(part)).lerp_(part, share)
        if square.ndim != 2:
            return state["square"]
        return state["rows"] * (state["columns"] / state["rows"].mean())
