"""Grafana's dashboards as small declarations; `deploy/monitoring/grafana/dashboards` is made of them."""
