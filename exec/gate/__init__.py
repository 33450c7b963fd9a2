"""The gate: nothing is sent that it did not approve, and it has no side door.

*checks* are pure functions with a name and two numbers in each refusal, cheapest first; *limits*
are their numbers; *approval* is what the sender demands; *breakers*, *throttle*, *losses* and
*exposure* keep count of what the checks compare.
"""
