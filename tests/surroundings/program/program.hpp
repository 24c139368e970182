// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Each prints what is wrong and returns how much that was.
int failures_of_matching();
int failures_of_files();
