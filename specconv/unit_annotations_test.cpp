#include "specconv/unit_annotations.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

using hull::configs::UnitProperty;
using hull::specconv::unit_properties;

namespace {

UnitProperty of(const std::string& name, const std::string& text) {
  const auto all = unit_properties({{"org.systemd.property." + name, text}, {"other", "1"}});
  REQUIRE(all.size() == 1);
  return all[0];
}

std::string error_of(const std::string& name, const std::string& text) {
  try {
    of(name, text);
  } catch (const hull::Error& e) {
    CHECK(e.field() == "/annotations/org.systemd.property." + name);
    return e.message();
  }
  return "";
}

}  // namespace

TEST_CASE("annotations give properties of the unit", "[specconv][systemd]") {
  using Strings = std::vector<std::string>;
  CHECK(of("TimeoutStopUSec", "uint64 123000000") ==
        UnitProperty{"TimeoutStopUSec", uint64_t{123000000}});
  CHECK(of("TimeoutStopUSec", "@t 0x10") == UnitProperty{"TimeoutStopUSec", uint64_t{16}});
  CHECK(of("KillSignal", "15") == UnitProperty{"KillSignal", int32_t{15}});
  CHECK(of("KillSignal", "int32 015") == UnitProperty{"KillSignal", int32_t{13}});
  CHECK(of("CollectMode", "'inactive-or-failed'") ==
        UnitProperty{"CollectMode", std::string("inactive-or-failed")});
  CHECK(of("Description", R"("a \"b\" \\'c'")") ==
        UnitProperty{"Description", std::string(R"(a "b" \'c')")});
  CHECK(of("DefaultDependencies", "true") == UnitProperty{"DefaultDependencies", true});
  CHECK(of("SendSIGKILL", "boolean false") == UnitProperty{"SendSIGKILL", false});
  CHECK(of("After", "['crio.service', \"b.service\"]") ==
        UnitProperty{"After", Strings{"crio.service", "b.service"}});
  CHECK(of("After", "@as []") == UnitProperty{"After", Strings{}});
}

TEST_CASE("a time may be given in seconds", "[specconv][systemd]") {
  for (const char* text : {"7", "uint64 7", "int32 7", "7.0", "double 7"})
    CHECK(of("TimeoutStopSec", text) == UnitProperty{"TimeoutStopUSec", uint64_t{7000000}});
  CHECK(of("RuntimeMaxSec", "0.5") == UnitProperty{"RuntimeMaxUSec", uint64_t{500000}});
  CHECK(error_of("TimeoutStopSec", "-1").ends_with("is no number of seconds"));
  CHECK(error_of("TimeoutStopSec", "99999999999999999").ends_with("is too large"));
}

TEST_CASE("an annotation can't set what could harm the host", "[specconv][systemd]") {
  for (const char* name : {"SuccessAction", "FailureAction", "ExecStartPre", "OnFailure", "Wants",
                           "Conflicts", "Slice", "PIDs", "Delegate", "DeviceAllow", "USec", "Sec"})
    CHECK(error_of(name, "'reboot'").starts_with("the property "));
  CHECK(unit_properties({{"org.systemd.property.", "1"}}).empty());
}

TEST_CASE("a value of another type is an error", "[specconv][systemd]") {
  CHECK(error_of("KillSignal", "'15'").find("is no number from") != std::string::npos);
  CHECK(error_of("KillSignal", "uint64 15") != "");
  CHECK(error_of("KillSignal", "3000000000") != "");
  CHECK(error_of("KillSignal", "@t 5").ends_with("is not of type i"));
  CHECK(error_of("CollectMode", "inactive").ends_with("is no string in quotation marks"));
  CHECK(error_of("CollectMode", "'inactive").ends_with("is a string without an end"));
  CHECK(error_of("CollectMode", "'a\\q'").find("unknown escape") != std::string::npos);
  CHECK(error_of("SendSIGHUP", "yes").ends_with("is not true or false"));
  CHECK(error_of("SendSIGHUP", "true false").ends_with("has more after its value: \"false\""));
  CHECK(error_of("After", "'a'").ends_with("is no list of strings"));
  CHECK(error_of("After", "['a'").ends_with("is a list without an end"));
  CHECK(error_of("After", "[1]") != "");
  CHECK(error_of("KillSignal", "") != "");
}
