#include <ctime>

#include "data/tokenizer/jinja_builtins.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

struct Moment {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int week_day = 0;  ///< 0: Sunday
  int year_day = 0;  ///< 1: the first of January
};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in(int year, int month) {
  constexpr int kDaysIn[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDaysIn[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/// "2024-07-26" or "2024-07-26T13:05:00".
bool read(const std::string& date, Moment& m) {
  int used = 0;
  if (std::sscanf(date.c_str(), "%4d-%2d-%2d%n", &m.year, &m.month, &m.day, &used) != 3)
    return false;
  const auto rest = date.substr(static_cast<std::size_t>(used));
  int more = 0;
  if (!rest.empty() && (std::sscanf(rest.c_str(), "%*1[T ]%2d:%2d:%2d%n", &m.hour, &m.minute,
                                    &m.second, &more) != 3 ||
                        static_cast<std::size_t>(more) != rest.size()))
    return false;
  if (m.year < 1 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > days_in(m.year, m.month) ||
      m.hour < 0 || m.hour > 23 || m.minute < 0 || m.minute > 59 || m.second < 0 || m.second > 59)
    return false;
  m.year_day = m.day;
  for (int month = 1; month < m.month; ++month)
    m.year_day += days_in(m.year, month);
  const int before = m.year - 1;
  m.week_day = (before + before / 4 - before / 100 + before / 400 + m.year_day) % 7;
  return true;
}

/// What stands for %c; nothing for a directive that we do not have.
std::string directive(char c, const Moment& m) {
  const int hour = m.hour % 12 == 0 ? 12 : m.hour % 12;
  std::string day = kDays[m.week_day];
  std::string month = kMonths[m.month - 1];
  switch (c) {
    case 'Y':
      return fmt::format("{:04}", m.year);
    case 'y':
      return fmt::format("{:02}", m.year % 100);
    case 'm':
      return fmt::format("{:02}", m.month);
    case 'd':
      return fmt::format("{:02}", m.day);
    case 'e':
      return fmt::format("{:2}", m.day);
    case 'B':
      return month;
    case 'b':
    case 'h':
      return month.substr(0, 3);
    case 'A':
      return day;
    case 'a':
      return day.substr(0, 3);
    case 'H':
      return fmt::format("{:02}", m.hour);
    case 'I':
      return fmt::format("{:02}", hour);
    case 'M':
      return fmt::format("{:02}", m.minute);
    case 'S':
      return fmt::format("{:02}", m.second);
    case 'p':
      return m.hour < 12 ? "AM" : "PM";
    case 'j':
      return fmt::format("{:03}", m.year_day);
    case 'w':
      return std::to_string(m.week_day);
    case 'u':
      return std::to_string(m.week_day == 0 ? 7 : m.week_day);
    case 'F':
      return fmt::format("{:04}-{:02}-{:02}", m.year, m.month, m.day);
    case 'T':
      return fmt::format("{:02}:{:02}:{:02}", m.hour, m.minute, m.second);
    case 'R':
      return fmt::format("{:02}:{:02}", m.hour, m.minute);
    case 'D':
    case 'x':
      return fmt::format("{:02}/{:02}/{:02}", m.month, m.day, m.year % 100);
    case 'X':
      return fmt::format("{:02}:{:02}:{:02}", m.hour, m.minute, m.second);
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return {};
  }
}

}  // namespace

std::string formatted_date(Call& call, const std::string& date, std::string_view format) {
  if (date.empty())
    call.fail(
        "the template asks for today's date; give it as 'date' (2024-07-26), so that prompts "
        "do not change from day to day");
  Moment moment;
  if (!read(date, moment))
    call.fail(
        fmt::format("the date '{}' is not of the form 2024-07-26 or 2024-07-26T13:05:00", date));
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const bool unpadded = format[++i] == '-' && i + 1 < format.size();
    if (unpadded) ++i;
    auto part = directive(format[i], moment);
    if (part.empty()) call.fail(fmt::format("'%{}' is not supported", format[i]));
    if (unpadded)
      while (part.size() > 1 && (part[0] == '0' || part[0] == ' '))
        part.erase(0, 1);
    out += part;
  }
  return out;
}

}  // namespace aha::jinja
