"""The limits that checks compare with.  Money is millionths of the reference currency (USD)."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them; none has a default, none may be infinite."""

    order_notional_max: int  # of one order
    plan_notional_max: int  # of all legs of one plan
    price_collar_ppm: int  # how far beyond the touch a limit price may lie
    edge_min_ppm: int
    edge_max_ppm: int  # a better one is not believed
    profit_max: int  # of one plan: more is not believed
    signal_age_ns_max: int
    venue_gross_max: int  # open and doubtful orders and holdings' moves, absolute, per venue
    asset_net_max: int  # of one asset over all venues, absolute
    strategy_gross_max: int
    total_gross_max: int
    open_orders_max: int  # per venue
    unhedged_max: int  # residual of all open plans
    orders_per_s_max: int  # per venue
    cancel_reserve_ppm: int  # share of the venue's request budget that only cancels may use
    loss_day_max: int
    loss_hour_max: int
    losses_in_row_max: int
    loss_plan_max: int  # of one plan: more restricts trading
    turnover_day_max: int  # value of all fills of a UTC day, both legs
    plans_open_max: int  # at once
    drift_ppm_max: int  # of the prices of our own orders in one book, within a minute
    rejects_max: int  # of one strategy's orders within repeats_window_ns: so many stop it
    executions_max: int  # plans of one strategy within that window: so many stop it
    repeats_window_ns: int
    cautious_ppm: int  # in CAUTIOUS the maxima of size shrink to this share

    def shrunk(self) -> "Limits":
        """Return the limits of the CAUTIOUS state."""
        def less(amount: int) -> int:
            return amount * self.cautious_ppm // 1_000_000

        return msgspec.structs.replace(
            self, order_notional_max=less(self.order_notional_max),
            plan_notional_max=less(self.plan_notional_max),
            venue_gross_max=less(self.venue_gross_max), asset_net_max=less(self.asset_net_max),
            strategy_gross_max=less(self.strategy_gross_max),
            total_gross_max=less(self.total_gross_max), unhedged_max=less(self.unhedged_max),
        )
