#pragma once

#include "libruntime/system/error.h"  // hull::Error, hull::ErrorKind
