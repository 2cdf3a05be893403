#include "router/proxy/table_view.hpp"

#include <algorithm>

namespace gray::proxy {

TableView::TableView(std::shared_ptr<const RoutingTable> snapshot)
    : table(std::move(snapshot)), routes(table->services) {
  const Limits defaults;
  head = {defaults.head, defaults.fields};
  head_timeout = defaults.head_timeout;
  idle_timeout = defaults.idle_timeout;
  if (!table->services.empty()) {
    head = {0, 0};
    head_timeout = idle_timeout = Duration{0};
  }
  for (const ServiceRoute& service : table->services) {
    services.push_back({&service, Threshold::of_percent(service.weight), table->issue_seed});
    head.bytes = std::max<std::size_t>(head.bytes, service.limits.head);
    head.fields = std::max<std::size_t>(head.fields, service.limits.fields);
    head_timeout = std::max(head_timeout, service.limits.head_timeout);
    idle_timeout = std::max(idle_timeout, service.limits.idle_timeout);
  }
}

void TableViews::replace(std::shared_ptr<const RoutingTable> table) {
  TableView& old = *current_;
  current_ = &views_.emplace_back(std::move(table));
  if (old.users == 0) views_.remove_if([&old](const TableView& view) { return &view == &old; });
}

void TableViews::drop(TableView& view) {
  if (--view.users == 0 && &view != current_) {
    views_.remove_if([&view](const TableView& other) { return &other == &view; });
  }
}

}  // namespace gray::proxy
