// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the templates of a report are filled with.

#include <kainjow/mustache.hpp>

#include "report/elements.hpp"

namespace tool::report {

using MustacheData = kainjow::mustache::data;

MustacheData mustache_list();

MustacheData table_data(const Table& table);

MustacheData chart_data(const Chart& chart);

}  // namespace tool::report
