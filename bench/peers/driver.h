// SPDX-License-Identifier: MIT
// The side of a peer: orders arrive one a line as words, each is answered by one line of JSON. See README.md of this folder.
#pragma once
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace peer {

// One way to compute what was ordered.
struct Contender {
  std::string fmt, algo;
  std::function<void()> run;
  // Elements of an output of the last run, in the order of convlane's layout.
  std::function<std::vector<float>(int output, const std::vector<int64_t>& positions)> sample;
};

// What is wrong with an order: an answer, not the end of the driver.
struct Refusal : std::exception {
  std::string text;
  explicit Refusal(std::string text) : text(std::move(text)) {}
  const char* what() const noexcept override { return text.c_str(); }
};

// The numbers of bench/problem.ts: randomData().
inline void fill(float* data, int64_t count, uint32_t seed) {
  for (int64_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    data[i] = static_cast<float>(static_cast<double>(seed) / 2147483648.0 - 1.0);
  }
}

inline std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return json + '"';
}

template <class Numbers>
std::string list(const char* name, const Numbers& numbers) {
  std::string json = std::string("{\"") + name + "\":[";
  for (size_t i = 0; i < numbers.size(); i++) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(numbers[i]));
    json += (i ? "," : "") + (std::isfinite(numbers[i]) ? std::string(text) : "null");
  }
  return json + "]}";
}

// Runs for about so many milliseconds, at least twice unless a run takes 50; what each run took.
inline std::vector<double> turn(const Contender& contender, double milliseconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (double total = 0; total < milliseconds || (times.size() < 2 && total < 50); total += times.back()) {
    const auto start = Clock::now();
    contender.run();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return times;
}

// `open` reads the rest of an order and prepares all ways to do it; each is run once. Those of the order before are gone by then.
inline int drive(const std::string& version, const std::function<std::vector<Contender>(std::istream&)>& open) {
  std::vector<Contender> contenders;
  const auto answer = [](const std::string& json) { std::cout << json << std::endl; };
  answer("{\"version\":" + quoted(version) + "}");
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    size_t which = 0;
    words >> verb;
    try {
      if (verb == "open") {
        contenders.clear();
        contenders = open(words);
        std::string json;
        for (const Contender& c : contenders) {
          c.run();
          json += std::string(json.empty() ? "" : ",") + "{\"fmt\":" + quoted(c.fmt) + ",\"algo\":" + quoted(c.algo) + "}";
        }
        answer("{\"contenders\":[" + json + "]}");
      } else if (verb == "sample") {
        int output = 0;
        std::vector<int64_t> positions;
        words >> which >> output;
        for (int64_t at; words >> at;) positions.push_back(at);
        answer(list("values", contenders.at(which).sample(output, positions)));
      } else if (verb == "run") {
        double milliseconds = 0;
        words >> which >> milliseconds;
        answer(list("times", turn(contenders.at(which), milliseconds)));
      } else {
        throw Refusal("unknown order: " + line);
      }
    } catch (const std::exception& e) {
      answer("{\"error\":" + quoted(e.what()) + "}");
    }
  }
  return 0;
}

}  // namespace peer
