// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The things of the synthetic data set: jointed figures seen from the side, each with keypoints
/// that mean the same on every instance. Thing coordinates: x to where it faces, y down, about 1000
/// units long; angles in tenths of a degree, 0 forward, 900 down.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/datasets/detail/drawn_canvas.hpp"

namespace homolog::inline v0_1::detail::drawn {

/// Parts from back to front, and keypoints by id.
struct Thing {
  std::vector<Part> parts;
  std::vector<Vec> keypoints;
};

/// Colours and patterns of one instance.
struct Coat {
  Shade body{}, second{}, accent{}, dark{};
  Texture texture = Texture::shaded;

  explicit Coat(SyntheticRandom& random) {
    static constexpr std::array<Shade, 10> colours{{{196, 120, 60},
                                                    {120, 78, 48},
                                                    {210, 190, 150},
                                                    {90, 96, 104},
                                                    {176, 58, 46},
                                                    {58, 108, 168},
                                                    {232, 178, 48},
                                                    {72, 138, 84},
                                                    {150, 92, 150},
                                                    {224, 224, 216}}};
    const auto pick = [&] { return colours[static_cast<std::size_t>(random.between(0, 9))]; };
    body = pick();
    second = pick();
    while (second == body) second = pick();
    accent = pick();
    while (accent == body || accent == second) accent = pick();
    for (std::size_t c = 0; c < 3; ++c) {
      dark[c] = body[c] * 2 / 5;
      body[c] =
          static_cast<int>(std::clamp<std::int64_t>(body[c] + random.between(-20, 20), 0, 255));
    }
    texture = std::array{Texture::shaded, Texture::stripes, Texture::spots,
                         Texture::shaded}[static_cast<std::size_t>(random.between(0, 3))];
  }
};

/// Adds parts to a thing.
struct Builder {
  Thing thing;
  Coat coat;
  SyntheticRandom& instance;  ///< proportions: the same for every picture of an instance
  SyntheticRandom& pose;      ///< joints: new in every picture

  std::int64_t size(std::int64_t mean, int percent = 15) {
    return mean * instance.between(100 - percent, 100 + percent) / 100;
  }
  void capsule(Vec a, Vec b, std::int64_t ra, std::int64_t rb, Shade colour, Shade second,
               Texture texture = Texture::shaded) {
    thing.parts.push_back({Part::Shape::capsule, {a, b}, ra, rb, colour, second, texture, 1});
  }
  void ellipse(Vec centre, std::int64_t a, std::int64_t b, std::int64_t tenths, Shade colour,
               Shade second, Texture texture = Texture::shaded) {
    thing.parts.push_back({Part::Shape::ellipse,
                           {centre, away(centre, a, tenths), away(centre, b, tenths + 900)},
                           0,
                           0,
                           colour,
                           second,
                           texture,
                           1});
  }
  void polygon(std::vector<Vec> corners, Shade colour, Shade second,
               Texture texture = Texture::plain) {
    thing.parts.push_back(
        {Part::Shape::polygon, std::move(corners), 0, 0, colour, second, texture, 1});
  }
  void eye(Vec at, std::int64_t radius) {
    ellipse(at, radius, radius, 0, {250, 250, 250}, {250, 250, 250}, Texture::plain);
    ellipse(at, radius / 2, radius / 2, 0, {20, 20, 20}, {20, 20, 20}, Texture::plain);
  }
  void wheel(Vec at, std::int64_t radius) {
    ellipse(at, radius, radius, 0, {34, 34, 38}, {34, 34, 38}, Texture::plain);
    ellipse(at, radius * 11 / 20, radius * 11 / 20, 0, {190, 192, 198}, {90, 92, 98});
  }
  void keypoint(Vec at) { thing.keypoints.push_back(at); }
};

/// Nose, eye, ear tip, neck, shoulder, back, rump, tail tip, front paw, hind paw, front knee, hind
/// knee.
inline void build_dog(Builder& b) {
  const std::int64_t long_ = b.size(270), thick = b.size(115), leg = b.size(270),
                     head = b.size(105);
  const Vec hip{-long_, 0}, chest{long_, 0};
  const auto swing = [&] { return b.pose.between(-280, 280); };
  const auto draw_leg = [&](Vec top, bool in_front) {
    const std::int64_t upper = 900 + swing(), lower = upper + b.pose.between(-250, 250);
    const Vec knee = away(top, leg / 2, upper), paw = away(knee, leg / 2, lower);
    const Shade colour = in_front ? b.coat.body : b.coat.dark;
    b.capsule(top, knee, thick * 5 / 10, thick * 4 / 10, colour, b.coat.dark);
    b.capsule(knee, paw, thick * 4 / 10, thick * 3 / 10, colour, b.coat.dark);
    b.capsule(paw, paw + Vec{40, 0}, thick * 3 / 10, thick * 3 / 10, b.coat.accent, b.coat.dark);
    return std::pair{knee, paw};
  };
  draw_leg(chest + Vec{-30, 50}, false);
  draw_leg(hip + Vec{30, 50}, false);
  const std::int64_t tail_angle = 2250 + b.pose.between(-400, 500);
  const Vec tail = away(hip + Vec{-40, -40}, b.size(230, 30), tail_angle);
  b.capsule(hip + Vec{-40, -40}, tail, thick * 4 / 10, thick / 6, b.coat.second, b.coat.dark,
            Texture::rings);
  b.capsule(hip, chest, thick * 11 / 10, thick * 13 / 10, b.coat.body, b.coat.second,
            b.coat.texture);
  const std::int64_t neck_angle = -500 + b.pose.between(-250, 350);
  const Vec neck = chest + Vec{30, -50};
  const Vec skull = away(neck, b.size(210), neck_angle);
  b.capsule(neck, skull, thick * 9 / 10, thick * 7 / 10, b.coat.body, b.coat.dark);
  const std::int64_t look = b.pose.between(-100, 350);
  const Vec nose = away(skull, head * 2, look);
  b.capsule(skull, nose, head, head * 4 / 10, b.coat.second, b.coat.body);
  b.ellipse(nose, head * 3 / 10, head * 3 / 10, 0, {25, 22, 22}, {25, 22, 22}, Texture::plain);
  const Vec ear = away(skull, head * 17 / 10, look - 1250 - b.pose.between(0, 300));
  b.polygon({away(skull, head, look - 700), ear, away(skull, head, look - 1800)}, b.coat.dark,
            b.coat.accent);
  const Vec eye = away(skull, head * 6 / 10, look - 600);
  b.eye(eye, head * 3 / 10);
  const auto [front_knee, front_paw] = draw_leg(chest + Vec{20, 60}, true);
  const auto [hind_knee, hind_paw] = draw_leg(hip + Vec{-20, 60}, true);
  for (const Vec point : {nose, eye, ear, neck, chest + Vec{0, 30}, Vec{0, -thick},
                          hip + Vec{-thick, 0}, tail, front_paw, hind_paw, front_knee, hind_knee}) {
    b.keypoint(point);
  }
}

/// Beak tip, eye, crown, breast, back, tail tip, wing tip, wing joint, foot, belly.
inline void build_bird(Builder& b) {
  const std::int64_t body = b.size(260), fat = b.size(150), head = b.size(105);
  const std::int64_t tilt = b.pose.between(-350, 100);
  const Vec centre{0, 0}, breast = away(centre, body, tilt), rear = away(centre, -body, tilt);
  const Vec foot = away(centre + Vec{0, fat}, b.size(190), 900 + b.pose.between(-200, 200));
  for (const std::int64_t shift : {-30, 40}) {
    b.capsule(centre + Vec{shift, fat / 2}, foot + Vec{shift, 0}, 18, 14, {216, 140, 40},
              {120, 80, 20});
    b.capsule(foot + Vec{shift, 0}, foot + Vec{shift + 60, 10}, 16, 10, {216, 140, 40},
              {120, 80, 20});
  }
  const Vec tail = away(rear, b.size(280, 25), tilt + 1800 + b.pose.between(-200, 200));
  b.polygon({rear + Vec{0, -60}, tail + Vec{0, -50}, tail + Vec{20, 60}, rear + Vec{0, 60}},
            b.coat.dark, b.coat.accent, Texture::stripes);
  b.ellipse(centre, body + 60, fat, tilt, b.coat.body, b.coat.second, b.coat.texture);
  const Vec skull = away(breast, b.size(130), tilt - 800 + b.pose.between(-150, 150));
  b.capsule(breast, skull, fat * 6 / 10, head, b.coat.body, b.coat.dark);
  b.ellipse(skull, head, head, 0, b.coat.second, b.coat.body);
  const std::int64_t look = b.pose.between(-200, 250);
  const Vec beak = away(skull, head + b.size(130, 35), look);
  b.polygon({away(skull, head, look - 450), beak, away(skull, head, look + 450)}, {232, 160, 40},
            {200, 110, 30});
  const Vec eye = away(skull, head * 4 / 10, look - 500), crown = away(skull, head, -900);
  b.eye(eye, head * 3 / 10);
  const std::int64_t flap = tilt + 1800 + b.pose.between(-900, 300);
  const Vec joint = away(centre, body / 3, tilt), wing = away(joint, b.size(430), flap);
  b.capsule(joint, wing, fat * 6 / 10, fat / 5, b.coat.accent, b.coat.dark, Texture::stripes);
  for (const Vec point : {beak, eye, crown, breast, away(centre, fat, tilt - 900), tail, wing,
                          joint, foot, away(centre, fat - 10, tilt + 900)}) {
    b.keypoint(point);
  }
}

/// Mouth, eye, gill, top fin tip, belly fin tip, tail joint, upper tail tip, lower tail tip,
/// middle.
inline void build_fish(Builder& b) {
  const std::int64_t body = b.size(330), fat = b.size(170, 25), bend = b.pose.between(-250, 250);
  const Vec centre{0, 0}, mouth = away(centre, body, 0),
                          joint = away(centre, body * 9 / 10, 1800 + bend);
  const Vec upper = away(joint, b.size(230), 1800 + bend + 550 + b.pose.between(-150, 150));
  const Vec lower = away(joint, b.size(230), 1800 + bend - 550 + b.pose.between(-150, 150));
  b.polygon({joint + Vec{60, 0}, upper, away(joint, 60, 1800 + bend), lower}, b.coat.accent,
            b.coat.dark, Texture::stripes);
  const Vec top = Vec{-30, -fat - b.size(140, 30)} + Vec{b.pose.between(-60, 60), 0};
  b.polygon({{140, -fat * 6 / 10}, top, {-190, -fat * 5 / 10}}, b.coat.accent, b.coat.second,
            Texture::stripes);
  const Vec belly = Vec{-20, fat + b.size(110, 30)} + Vec{b.pose.between(-60, 60), 0};
  b.polygon({{100, fat * 6 / 10}, belly, {-120, fat * 5 / 10}}, b.coat.dark, b.coat.second);
  b.capsule(away(centre, body / 3, 1800 + bend), joint, fat * 7 / 10, fat / 4, b.coat.body,
            b.coat.second, b.coat.texture);
  b.ellipse(centre, body, fat, 0, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({body * 6 / 10, 0}, body * 4 / 10, fat * 6 / 10, 0, b.coat.second, b.coat.body);
  const Vec eye{body * 65 / 100, -fat / 5}, gill{body * 25 / 100, fat / 10};
  b.eye(eye, fat / 5);
  b.ellipse(gill, fat / 12, fat * 4 / 10, 0, b.coat.dark, b.coat.dark, Texture::plain);
  b.capsule(mouth + Vec{-70, 25}, mouth + Vec{-5, 15}, 9, 9, {60, 20, 20}, {60, 20, 20});
  for (const Vec point : {mouth, eye, gill, top, belly, joint, upper, lower, centre})
    b.keypoint(point);
}

/// Head top, face, neck, shoulder, elbow, hand, hip, knee, foot, back hand, back foot.
inline void build_person(Builder& b) {
  const std::int64_t torso = b.size(280), leg = b.size(210), arm = b.size(170), head = b.size(95);
  const std::int64_t wide = b.size(85), lean = -900 + b.pose.between(-150, 150);
  const Shade skin{232, 190, 160}, trousers = b.coat.accent;
  const Vec hip{0, 0}, neck = away(hip, torso, lean);
  const auto angle = [&](std::int64_t spread) { return 900 + b.pose.between(-spread, spread); };
  const auto limb = [&](Vec from, std::int64_t half, std::int64_t spread, std::int64_t spread_below,
                        std::int64_t radius, Shade upper, Shade lower) {
    const std::int64_t second = angle(spread_below), first = angle(spread);
    const Vec middle = away(from, half, first), end = away(middle, half, second);
    b.capsule(from, middle, radius, radius * 8 / 10, upper, b.coat.dark);
    b.capsule(middle, end, radius * 8 / 10, radius * 6 / 10, lower, b.coat.dark);
    return std::pair{middle, end};
  };
  const auto [back_elbow, back_hand] =
      limb(neck + Vec{0, 40}, arm, 800, 1000, wide / 2, b.coat.dark, skin);
  b.ellipse(back_hand, 38, 38, 0, skin, skin, Texture::plain);
  const auto [back_knee, back_foot] =
      limb(hip, leg, 400, 400, wide * 6 / 10, b.coat.dark, b.coat.dark);
  b.capsule(back_foot, back_foot + Vec{70, 8}, 34, 26, {50, 40, 40}, {30, 20, 20});
  const auto [knee, foot] = limb(hip, leg, 400, 400, wide * 7 / 10, trousers, trousers);
  b.capsule(foot, foot + Vec{80, 8}, 36, 28, {70, 50, 40}, {40, 30, 20});
  b.capsule(neck + Vec{0, 30}, hip, wide, wide * 9 / 10, b.coat.body, b.coat.second,
            b.coat.texture);
  const Vec skull = away(neck, head + 30, lean + b.pose.between(-200, 200));
  b.capsule(neck, skull, 40, 40, skin, {190, 140, 110});
  b.ellipse(skull, head * 85 / 100, head, 0, skin, {200, 150, 120});
  b.ellipse(skull + Vec{-head / 4, -head / 2}, head * 8 / 10, head * 6 / 10, 0, b.coat.dark,
            b.coat.second);
  const Vec face = skull + Vec{head / 2, 0};
  b.ellipse(face, 14, 14, 0, {20, 20, 20}, {20, 20, 20}, Texture::plain);
  const Vec shoulder = neck + Vec{0, 50};
  const auto [elbow, hand] = limb(shoulder, arm, 900, 1100, wide / 2, b.coat.second, skin);
  b.ellipse(hand, 40, 40, 0, skin, skin, Texture::plain);
  for (const Vec point : {skull + Vec{0, -head}, face, neck, shoulder, elbow, hand, hip, knee, foot,
                          back_hand, back_foot}) {
    b.keypoint(point);
  }
}

/// Front wheel, rear wheel, headlight, tail light, front bumper, rear bumper, roof front, roof
/// rear, windscreen foot, door handle.
inline void build_car(Builder& b) {
  const std::int64_t half = b.size(430, 12), low = b.size(105), high = b.size(150, 25);
  const std::int64_t wheel = b.size(92), front = b.size(250, 10), bonnet = b.size(180, 35);
  const std::int64_t squat = b.pose.between(-12, 12);
  const Vec front_wheel{front, low + squat}, rear_wheel{-b.size(270, 10), low - squat};
  const Vec windscreen{half - bonnet, -low},
      roof_front{windscreen.x - b.size(130, 25), -low - high};
  const Vec roof_rear{-half + b.size(200, 40), -low - high}, rear_top{-half + b.size(60, 60), -low};
  b.polygon(
      {{half, -low * 4 / 10}, {half, low}, {-half, low}, {-half, -low}, windscreen + Vec{0, 0}},
      b.coat.body, b.coat.second,
      b.coat.texture == Texture::spots ? Texture::shaded : b.coat.texture);
  b.polygon({windscreen, roof_front, roof_rear, rear_top}, b.coat.second, b.coat.body);
  const auto inset = [&](Vec p, std::int64_t dx) { return Vec{p.x + dx, p.y * 92 / 100}; };
  const Vec middle{(roof_front.x + roof_rear.x) / 2, -low - high * 9 / 10};
  b.polygon(
      {inset(windscreen, -45), inset(roof_front, -15), middle + Vec{18, 20}, {middle.x + 18, -low}},
      {176, 214, 232}, {120, 170, 200});
  b.polygon(
      {{middle.x - 18, -low}, middle + Vec{-18, 20}, inset(roof_rear, 15), inset(rear_top, 45)},
      {176, 214, 232}, {120, 170, 200});
  b.capsule({-half, low - 20}, {half, low - 20}, 26, 26, b.coat.dark, b.coat.dark);
  const Vec headlight{half - 40, -low / 8}, tail_light{-half + 30, -low / 2};
  b.ellipse(headlight, 42, 30, 0, {255, 246, 190}, {250, 220, 120});
  b.ellipse(tail_light, 24, 36, 0, {214, 30, 30}, {160, 10, 10});
  const Vec handle{middle.x - 60, -low / 3};
  b.capsule(handle + Vec{-30, 0}, handle + Vec{30, 0}, 10, 10, {230, 230, 230}, {120, 120, 120});
  b.wheel(front_wheel, wheel);
  b.wheel(rear_wheel, wheel);
  for (const Vec point : {front_wheel, rear_wheel, headlight, tail_light, Vec{half, low - 20},
                          Vec{-half, low - 20}, roof_front, roof_rear, windscreen, handle}) {
    b.keypoint(point);
  }
}

/// Top of the rest, seat rear, seat front, front foot, rear foot, end of the arm, middle of the
/// rest.
inline void build_chair(Builder& b) {
  const std::int64_t seat = b.size(190, 20), leg = b.size(270, 20), rest = b.size(340, 20);
  const std::int64_t thin = b.size(28, 30), tilt = b.size(100, 90) + b.pose.between(-60, 60);
  const Vec rear{-seat, 0}, front{seat, 0}, top = away(rear, rest, -900 - tilt);
  const Vec front_foot = away(front, leg, 900 - b.size(60, 90)),
            rear_foot = away(rear, leg, 900 + b.size(90, 90));
  b.capsule(rear + Vec{70, 0}, rear_foot + Vec{90, -20}, thin, thin, b.coat.dark, b.coat.dark);
  b.capsule(front + Vec{-60, 0}, front_foot + Vec{-80, -20}, thin, thin, b.coat.dark, b.coat.dark);
  b.capsule(rear, rear_foot, thin, thin * 8 / 10, b.coat.second, b.coat.dark);
  b.capsule(front, front_foot, thin, thin * 8 / 10, b.coat.second, b.coat.dark);
  b.capsule(rear, top, thin * 17 / 10, thin * 14 / 10, b.coat.body, b.coat.accent, b.coat.texture);
  b.ellipse(top, thin * 2, thin * 2, 0, b.coat.accent, b.coat.dark);
  b.capsule(rear, front, thin * 16 / 10, thin * 16 / 10, b.coat.accent, b.coat.body);
  const Vec arm_rear = away(rear, rest * 45 / 100, -900 - tilt),
            arm = arm_rear + Vec{b.size(290, 12), 0};
  b.capsule(arm_rear, arm, thin, thin, b.coat.second, b.coat.body);
  b.capsule(arm + Vec{-30, 0}, {arm.x - 30, 0}, thin * 7 / 10, thin * 7 / 10, b.coat.second,
            b.coat.dark);
  for (const Vec point : {top, rear, front, front_foot, rear_foot, arm,
                          Vec{(rear.x + top.x) / 2, (rear.y + top.y) / 2}}) {
    b.keypoint(point);
  }
}

/// Spout tip, spout root, lid knob, handle top, handle bottom, handle middle, base left, base
/// right, belly.
inline void build_teapot(Builder& b) {
  const std::int64_t wide = b.size(240), tall = b.size(190, 20), spout = b.size(230, 25);
  const std::int64_t lift = b.pose.between(0, 90);
  const Vec root{wide * 8 / 10, tall / 5},
      bend = away(root, spout / 2, -150 + b.pose.between(-150, 150));
  const Vec tip = away(bend, spout * 6 / 10, -750 + b.pose.between(-200, 200));
  b.capsule(root, bend, 58, 40, b.coat.second, b.coat.dark);
  b.capsule(bend, tip, 40, 26, b.coat.second, b.coat.dark);
  b.ellipse(tip, 34, 20, -450, {40, 34, 30}, {40, 34, 30}, Texture::plain);
  const Vec handle_top{-wide * 8 / 10, -tall * 4 / 10},
      handle_bottom{-wide * 8 / 10, tall * 5 / 10};
  const Vec handle{-wide - b.size(150, 25), b.pose.between(-40, 40)};
  b.capsule(handle_top, handle + Vec{20, -80}, 30, 30, b.coat.accent, b.coat.dark);
  b.capsule(handle + Vec{20, -80}, handle + Vec{20, 80}, 30, 30, b.coat.accent, b.coat.dark);
  b.capsule(handle + Vec{20, 80}, handle_bottom, 30, 30, b.coat.accent, b.coat.dark);
  const Vec left{-wide * 6 / 10, tall}, right{wide * 6 / 10, tall};
  b.capsule(left, right, 34, 34, b.coat.dark, b.coat.dark);
  b.ellipse({0, 0}, wide, tall, 0, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({0, -tall + 30 - lift}, wide * 6 / 10, 50, 0, b.coat.accent, b.coat.body);
  const Vec knob{0, -tall - 40 - lift};
  b.ellipse(knob, 40, 40, 0, b.coat.second, b.coat.dark);
  for (const Vec point :
       {tip, root, knob, handle_top, handle_bottom, handle, left, right, Vec{0, tall / 4}}) {
    b.keypoint(point);
  }
}

/// Nose, cockpit, wing tip, wing root, engine, tail fin top, tail end, tailplane tip, front wheel,
/// rear wheel.
inline void build_aeroplane(Builder& b) {
  const std::int64_t half = b.size(440), fat = b.size(85, 20), sweep = b.pose.between(-150, 250);
  const Vec nose{half, 0}, tail{-half, -fat / 2};
  const Vec far_tip = away({60, -fat / 2}, b.size(240), -1250 - sweep);
  b.polygon({{130, -fat / 2}, far_tip + Vec{45, 0}, far_tip + Vec{-45, 0}, {-60, -fat / 2}},
            b.coat.dark, b.coat.body);
  const Vec fin = Vec{-half - b.size(30, 90), -fat - b.size(200, 20)};
  b.polygon({{-half + 150, -fat / 2}, fin + Vec{70, 0}, fin, {-half + 10, -fat / 2}}, b.coat.accent,
            b.coat.second, Texture::stripes);
  const Vec front_wheel{half * 6 / 10, fat + b.size(75)}, rear_wheel{-40, fat + b.size(85)};
  b.capsule({front_wheel.x, 0}, front_wheel, 12, 12, {90, 90, 96}, {60, 60, 66});
  b.capsule({rear_wheel.x, 0}, rear_wheel, 12, 12, {90, 90, 96}, {60, 60, 66});
  b.wheel(front_wheel, 36);
  b.wheel(rear_wheel, 42);
  b.capsule(tail, {0, 0}, fat / 3, fat, b.coat.body, b.coat.second, b.coat.texture);
  b.capsule({0, 0}, {half - fat, 0}, fat, fat, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({half - fat, 0}, fat, fat * 7 / 10, 0, b.coat.second, b.coat.dark);
  const Vec cockpit{half - fat * 3 / 2, -fat * 6 / 10};
  b.ellipse(cockpit, 66, 34, 100, {150, 206, 236}, {90, 140, 190});
  for (std::int64_t x = -200; x <= half - 220; x += 90) {
    b.ellipse({x, -fat / 4}, 18, 22, 0, {60, 80, 110}, {60, 80, 110}, Texture::plain);
  }
  const Vec plane = away({-half + 90, -fat / 3}, b.size(150), 1400 + sweep);
  b.polygon({{-half + 160, -fat / 4}, plane + Vec{40, 0}, plane, {-half + 50, -fat / 4}},
            b.coat.accent, b.coat.dark);
  const Vec root{40, fat / 2}, wing = away(root, b.size(340), 1200 + sweep);
  const Vec engine = Vec{(root.x + wing.x) / 2 + 60, (root.y + wing.y) / 2 + 20};
  b.polygon({root + Vec{100, 0}, wing + Vec{55, 0}, wing + Vec{-55, 0}, root + Vec{-100, 0}},
            b.coat.second, b.coat.accent, Texture::stripes);
  b.capsule(engine + Vec{-40, 0}, engine + Vec{50, 0}, 42, 48, {120, 124, 130}, {60, 62, 66});
  for (const Vec point :
       {nose, cockpit, wing, root, engine, fin, tail, plane, front_wheel, rear_wheel}) {
    b.keypoint(point);
  }
}

using BuildThing = void (*)(Builder&);
inline constexpr std::pair<std::string_view, BuildThing> synthetic_things[] = {
    {"aeroplane", build_aeroplane}, {"bird", build_bird},    {"car", build_car},
    {"chair", build_chair},         {"dog", build_dog},      {"fish", build_fish},
    {"person", build_person},       {"teapot", build_teapot}};

}  // namespace homolog::inline v0_1::detail::drawn
